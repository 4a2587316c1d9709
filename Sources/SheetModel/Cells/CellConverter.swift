public import JSON

/// Turns JSON values into cells by their column's type.
///
/// It decides and does nothing else: the same value gives the same cell or the same refusal each time.
public struct CellConverter: Sendable {
    private let type: ColumnType
    private let timeZone: TimeZoneRules

    /// Makes a converter for a column of a spreadsheet in a time zone.
    public init(type: ColumnType, timeZone: TimeZoneRules) {
        self.type = type
        self.timeZone = timeZone
    }

    /// The cell of a value, and what its reader should be told.
    ///
    /// `null` and the empty text give an empty cell.
    public func convert(_ value: JSON) throws(SheetModelError) -> (cell: Cell, warning: CellWarning?) {
        if case .null = value { return (Cell(.empty), nil) }
        var warning: CellWarning?
        let cell: Cell
        switch type {
        case .auto: cell = Cell(automatic(value, &warning))
        case .text: cell = Cell(.text(Self.text(of: value)))
        case .number, .currency, .percent: cell = Cell(try number(value, &warning))
        case .integer: cell = Cell(try integer(value, &warning))
        case .boolean:
            guard case .bool(let truth) = value else { throw expected("true or false", value) }
            cell = Cell(.boolean(truth))
        case .date: cell = Cell(.number(try serial(value, "a date such as 2026-11-22", ISO8601.date)))
        case .time: cell = Cell(.number(try serial(value, "a time such as 09:30:00", ISO8601.time)))
        case .datetime:
            let example = "a date and time such as 2026-11-22T09:30:00Z"
            cell = Cell(.number(try serial(value, example) { ISO8601.datetime($0, in: timeZone) }))
        case .link: cell = try link(value)
        case .formula:
            guard case .string(let text) = value, text.utf8.first == UInt8(ascii: "=") else {
                throw expected("a formula that begins with =", value)
            }
            cell = Cell(.formula(text))
        }
        return (try checkLength(cell), warning)
    }

    // MARK: Text

    private static func text(of value: JSON) -> String {
        switch value {
        case .string(let text): text
        case .number(let number): number.text
        case .null, .bool, .array, .text, .object: value.description
        }
    }

    private func checkLength(_ cell: Cell) throws(SheetModelError) -> Cell {
        guard case .text(let text) = cell.value else {
            if case .formula(let formula) = cell.value { try Self.checkLength(formula) }
            return cell
        }
        if text.isEmpty { return Cell(.empty) }
        try Self.checkLength(text)
        return cell
    }

    private static func checkLength(_ text: String) throws(SheetModelError) {
        // UTF-8 is never shorter than UTF-16, and its length costs nothing.
        guard text.utf8.count > Limits.cellLength, text.utf16.count > Limits.cellLength else { return }
        throw SheetModelError(.cellTooLong, lengthRefusal(text.utf16.count))
    }

    static func lengthRefusal(_ count: Int) -> String {
        "a cell holds at most \(Limits.cellLength.grouped) characters (UTF-16 units), got \(count.grouped)"
    }

    // MARK: Numbers

    private static let wholeDoubles = -(1 << 53)...(1 << 53)

    private func automatic(_ value: JSON, _ warning: inout CellWarning?) -> CellValue {
        switch value {
        case .null: .empty
        case .bool(let truth): .boolean(truth)
        case .number(let number): Self.number(number, &warning)
        case .string, .array, .text, .object: .text(Self.text(of: value))
        }
    }

    private func number(_ value: JSON, _ warning: inout CellWarning?) throws(SheetModelError) -> CellValue {
        switch value {
        case .number(let number): return Self.number(number, &warning)
        case .string(let text):
            guard let decimal = DecimalDigits(text) else { throw expected("a number", value) }
            return Self.number(decimal, spelled: text, &warning)
        case .null, .bool, .array, .text, .object: throw expected("a number", value)
        }
    }

    private func integer(_ value: JSON, _ warning: inout CellWarning?) throws(SheetModelError) -> CellValue {
        let text: String
        switch value {
        case .number(let number): text = number.text
        case .string(let string): text = string
        case .null, .bool, .array, .text, .object: throw expected("a whole number", value)
        }
        guard let decimal = DecimalDigits(text), decimal.isWhole else { throw expected("a whole number", value) }
        guard let double = decimal.exactDouble(spelled: text), double.magnitude <= Double(1 << 53) else {
            warning = .longIntegerAsText
            return .text(text)
        }
        return .number(double)
    }

    /// A JSON number says of itself that it is one, so a long fraction is rounded; only long integers, which are
    /// mostly somebody's keys, become text.
    private static func number(_ number: JSONNumber, _ warning: inout CellWarning?) -> CellValue {
        if let whole = number.int, wholeDoubles.contains(whole) { return .number(Double(whole)) }
        if number.isInteger {
            warning = .longIntegerAsText
            return .text(number.text)
        }
        let nearest = number.double
        guard nearest.isFinite else {
            warning = .longDecimalAsText
            return .text(number.text)
        }
        if DecimalDigits(number.text)?.exactDouble(spelled: number.text) == nil { warning = .rounded }
        return .number(nearest)
    }

    /// A string was chosen to keep every digit (Postgres spells its `numeric` so), so none is rounded away.
    private static func number(_ decimal: DecimalDigits, spelled text: String, _ warning: inout CellWarning?)
        -> CellValue
    {
        if let double = decimal.exactDouble(spelled: text), !decimal.isWhole || double.magnitude <= Double(1 << 53) {
            return .number(double)
        }
        warning = decimal.isWhole ? .longIntegerAsText : .longDecimalAsText
        return .text(text)
    }

    // MARK: Dates and links

    private func serial(_ value: JSON, _ kind: String, _ parse: (String) -> Double?) throws(SheetModelError) -> Double {
        guard case .string(let text) = value, let serial = parse(text) else { throw expected(kind, value) }
        return serial
    }

    /// A text cell with a link in its format, rather than a `HYPERLINK` formula: nothing in it is ever parsed.
    private func link(_ value: JSON) throws(SheetModelError) -> Cell {
        let url: String
        var text: String?
        switch value {
        case .string(let string): url = string
        case .object(let object):
            guard case .string(let target)? = object["url"],
                object.allSatisfy({ $0.name == "url" || $0.name == "text" })
            else { throw expected(#"a URL or an object with "url" and "text""#, value) }
            switch object["text"] {
            case nil, .null?: break
            case .string(let label)?: text = label
            case .some: throw expected(#"a string as the link's "text""#, value)
            }
            url = target
        case .null, .bool, .number, .array, .text: throw expected("a URL", value)
        }
        guard Self.isAllowed(url) else {
            throw SheetModelError(.cellType, "expected a URL that begins with https://, http:// or mailto:")
        }
        return Cell(.text(text.flatMap { $0.isEmpty ? nil : $0 } ?? url), link: url)
    }

    private static func isAllowed(_ url: String) -> Bool {
        let separators: Set<UInt8> = [UInt8(ascii: " "), 0x7F]
        guard !url.utf8.contains(where: { $0 < 0x20 || separators.contains($0) }) else { return false }
        let start = url.prefix(8).lowercased()
        return ["https://", "http://", "mailto:"].contains { start.hasPrefix($0) && url.utf8.count > $0.utf8.count }
    }

    /// A refusal without the value, which is somebody's data and has no place in errors and logs.
    private func expected(_ what: String, _ value: JSON) -> SheetModelError {
        SheetModelError(.cellType, "expected \(what), got \(value.kind)")
    }
}

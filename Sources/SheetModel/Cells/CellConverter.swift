public import JSON

/// Turns values into cells by their column's type: the one rule for inline rows, queries and CSV.
///
/// It decides and does nothing else: the same value gives the same cell or the same refusal each time. `RowChecker` and
/// `TextRowWriter` have quicker ways for what is spelled as usual, which write what this converter would.
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
    /// `null` and the empty text give an empty cell, whatever the type.
    public func convert(_ value: JSON) throws(SheetModelError) -> (cell: Cell, warning: CellWarning?) {
        switch value {
        case .null, .string(""): return (Cell(.empty), nil)
        case .string(let text) where type != .auto && type != .text && DecimalDigits.isWordForNone(text):
            return (Cell(.text(text)), isDate && DecimalDigits.isInfinity(text) ? .dateAsText : .notANumberAsText)
        default: break
        }
        var warning: CellWarning?
        let cell: Cell
        switch type {
        case .auto: cell = Cell(automatic(value, &warning))
        case .text: cell = Cell(.text(Self.text(of: value)))
        case .number, .currency, .percent: cell = Cell(try number(value, "a number", { _ in true }, &warning))
        case .integer: cell = Cell(try number(value, "a whole number", \.isWhole, &warning))
        case .boolean: cell = Cell(.boolean(try boolean(value)))
        case .date, .time, .datetime: cell = Cell(try moment(value, &warning))
        case .link: cell = try link(value)
        case .formula:
            guard case .string(let text) = value, text.utf8.first == UInt8(ascii: "=") else {
                throw expected("a formula that begins with =", value)
            }
            cell = Cell(.formula(text))
        }
        return (try checkText(cell), warning)
    }

    // MARK: Text

    private static func text(of value: JSON) -> String {
        switch value {
        case .string(let text): text
        case .number(let number): number.text
        case .null, .bool, .array, .text, .object: value.description
        }
    }

    private func checkText(_ cell: Cell) throws(SheetModelError) -> Cell {
        switch cell.value {
        case .text(""): return Cell(.empty)
        case .text(let text), .formula(let text): try Self.check(text)
        case .empty, .number, .boolean: break
        }
        return cell
    }

    private static func check(_ text: String) throws(SheetModelError) {
        if text.utf8.contains(0) { throw SheetModelError(.cellType, "holds a NUL (U+0000), which no cell can hold") }
        // UTF-8 is never shorter than UTF-16, and its length costs nothing.
        guard text.utf8.count > Limits.cellLength, text.utf16.count > Limits.cellLength else { return }
        throw SheetModelError(.cellTooLong, lengthRefusal(text.utf16.count))
    }

    static func lengthRefusal(_ count: Int) -> String {
        "a cell holds at most \(Limits.cellLength.grouped) characters (UTF-16 units), got \(count.grouped)"
    }

    // MARK: Numbers

    private func automatic(_ value: JSON, _ warning: inout CellWarning?) -> CellValue {
        switch value {
        case .null: .empty
        case .bool(let truth): .boolean(truth)
        case .number(let number): Self.number(number.text, &warning) ?? .text(number.text)
        case .string, .array, .text, .object: .text(Self.text(of: value))
        }
    }

    private func number(
        _ value: JSON, _ kind: String, _ isFitting: (DecimalDigits) -> Bool, _ warning: inout CellWarning?
    ) throws(SheetModelError) -> CellValue {
        guard let text = Self.spelling(value), let decimal = DecimalDigits(text), isFitting(decimal),
            let number = Self.number(text, &warning)
        else { throw expected(kind, value) }
        return number
    }

    /// The number of a decimal whose every digit a double holds; another one is text, so that none of its digits is lost.
    ///
    /// A double holds a decimal if it reads back as the same digits: 0.1, 1e16 and 6.02214076e23, not 2^53 + 1. How the
    /// decimal is spelled makes no difference. Nil for what is no decimal.
    private static func number(_ text: String, _ warning: inout CellWarning?) -> CellValue? {
        guard let decimal = DecimalDigits(text) else { return nil }
        if let double = decimal.exactDouble(spelled: text) {
            // Of both zeros a sheet shows one.
            return .number(double == 0 ? 0 : double)
        }
        warning = decimal.isWhole ? .longIntegerAsText : .longDecimalAsText
        return .text(text)
    }

    private static func spelling(_ value: JSON) -> String? {
        switch value {
        case .number(let number): number.text
        case .string(let text): text
        case .null, .bool, .array, .text, .object: nil
        }
    }

    private func boolean(_ value: JSON) throws(SheetModelError) -> Bool {
        if case .bool(let truth) = value { return truth }
        if let text = Self.spelling(value) {
            switch text.lowercased() {
            case "true", "t": return true
            case "false", "f": return false
            default: break
            }
            if let decimal = DecimalDigits(text), decimal == .zero || decimal == .one { return decimal == .one }
        }
        throw expected("true or false", value)
    }

    // MARK: Dates and links

    private var isDate: Bool { type == .date || type == .datetime }

    private func moment(_ value: JSON, _ warning: inout CellWarning?) throws(SheetModelError) -> CellValue {
        let kind: String
        let serial: (String) -> Double?
        switch type {
        case .date: (kind, serial) = ("a date such as 2026-11-22", ISO8601.midnight)
        case .time: (kind, serial) = ("a time such as 09:30:00", ISO8601.time)
        default:
            (kind, serial) = (
                "a date and time such as 2026-11-22T09:30:00Z", { ISO8601.datetime($0, in: timeZone) }
            )
        }
        guard case .string(let text) = value else { throw expected(kind, value) }
        if let serial = serial(text) { return .number(serial) }
        if isDate, ISO8601.isBeyondSheets(text, in: timeZone) {
            warning = .dateAsText
            return .text(text)
        }
        guard isDate, let fault = ISO8601.fault(in: text) else { throw expected(kind, value) }
        throw SheetModelError(.cellType, "expected \(kind), got \(fault)")
    }

    /// A text cell with a link in its format, rather than a `HYPERLINK` formula: nothing in it is ever parsed.
    private func link(_ value: JSON) throws(SheetModelError) -> Cell {
        let form = #"a URL or an object with "url" and "text""#
        switch value {
        case .string(let text):
            // As a database or a file spells an object; no URL begins so.
            if text.utf8.first == UInt8(ascii: "{"), case .object(let object)? = try? JSON(parsing: text) {
                return try link(.object(object))
            }
            return try link(to: text, labelled: "")
        case .object(let object):
            guard object.allSatisfy({ $0.name == "url" || $0.name == "text" }) else { throw expected(form, value) }
            guard let url = Self.member("url", of: object) else {
                throw expected(#"a string as the link's "url""#, value)
            }
            guard let text = Self.member("text", of: object) else {
                throw expected(#"a string as the link's "text""#, value)
            }
            return try link(to: url, labelled: text)
        case .null, .bool, .number, .array, .text: throw expected("a URL", value)
        }
    }

    /// The text of a member, empty where there is none; nil for another value.
    private static func member(_ name: String, of object: JSONObject) -> String? {
        switch object[name] {
        case nil, .null?: ""
        case .string(let text)?: text
        case .some: nil
        }
    }

    private func link(to url: String, labelled label: String) throws(SheetModelError) -> Cell {
        let url = url.trimmingBlanks
        if url.isEmpty { return Cell(.text(label)) }
        if url.contains(where: \.isWhitespace) {
            throw SheetModelError(.cellType, "expected a URL without a blank inside it; write %20 for one")
        }
        let start = url.prefix(8).lowercased()
        guard
            ["https://", "http://", "mailto:"].contains(where: { start.hasPrefix($0) && url.utf8.count > $0.utf8.count }
            ),
            url.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
        else {
            throw SheetModelError(.cellType, "expected a URL that begins with https://, http:// or mailto:")
        }
        return Cell(.text(label.isEmpty ? url : label), link: url)
    }

    /// A refusal without the value, which is somebody's data and has no place in errors and logs.
    private func expected(_ what: String, _ value: JSON) -> SheetModelError {
        SheetModelError(.cellType, "expected \(what), got \(value.kind)")
    }
}

extension String {
    /// The text without the blanks at its ends.
    fileprivate var trimmingBlanks: String {
        var text = self[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}

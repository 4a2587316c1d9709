public import JSON

extension Cell {
    /// Reads Google's `CellData`; nil for what no job can write, such as an error.
    ///
    /// Of the format only the link of the whole text is read.
    public init?(cellData json: JSON) {
        let value: CellValue
        switch json["userEnteredValue"]?.object?.first {
        case nil: value = .empty
        case let member?:
            switch (member.name, member.value) {
            case ("numberValue", .number(let number)): value = .number(number.double)
            case ("boolValue", .bool(let truth)): value = .boolean(truth)
            case ("stringValue", .string("")): value = .empty
            case ("stringValue", .string(let text)): value = .text(text)
            case ("formulaValue", .string(let formula)): value = .formula(formula)
            default: return nil
            }
        }
        self.init(value, link: json["userEnteredFormat"]?["textFormat"]?["link"]?["uri"]?.string)
    }
}

/// A cell of a sheet as a job finds it.
public struct FoundCell: Sendable, Hashable {
    /// What it holds.
    public let value: CellValue
    /// What it shows, where it holds a formula; nil for an error.
    public let shown: CellValue?
    /// The URL that the whole text links to.
    public let link: String?
    /// Whether nothing of a person's is lost where its value is written once more: no formula, no link, no formats inside.
    public let isPlain: Bool

    /// An empty cell.
    public static let empty = FoundCell(Cell(.empty), shown: nil, isPlain: true)

    private init(_ cell: Cell, shown: CellValue?, isPlain: Bool) {
        (value, link, self.shown, self.isPlain) = (cell.value, cell.link, shown, isPlain)
    }

    /// Reads Google's `CellData`; nil for what no job can write, such as an error.
    public init?(cellData json: JSON) {
        guard let cell = Cell(cellData: json) else { return nil }
        let hasRuns = json["textFormatRuns"]?.array?.isEmpty == false
        guard case .formula = cell.value else {
            self.init(cell, shown: nil, isPlain: cell.link == nil && !hasRuns)
            return
        }
        let shown: CellValue?
        switch json["effectiveValue"]?.object?.first?.value {
        case .number(let number): shown = .number(number.double)
        case .bool(let truth): shown = .boolean(truth)
        case .string(let text): shown = text.isEmpty ? .empty : .text(text)
        default: shown = nil
        }
        self.init(cell, shown: shown, isPlain: false)
    }
}

extension CellValue {
    /// Reads a value as `values.get` gives it unformatted, with dates as serial numbers.
    public init(unformatted json: JSON) {
        self =
            switch json {
            case .number(let number): .number(number.double)
            case .bool(let truth): .boolean(truth)
            case .string(let text) where !text.isEmpty: .text(text)
            case .null, .string, .array, .text, .object: .empty
            }
    }

    /// Whether both are the same to the byte, also where two texts only look the same.
    public func isExactly(_ other: CellValue) -> Bool {
        switch (self, other) {
        case (.text(let one), .text(let two)), (.formula(let one), .formula(let two)):
            one.utf8.elementsEqual(two.utf8)
        default: self == other
        }
    }
}

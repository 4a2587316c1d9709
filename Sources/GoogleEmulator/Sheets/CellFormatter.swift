import JSON

/// Shows cells as a person sees them.
struct CellFormatter: Sendable {
    private let patterns: [UInt32: NumberPattern]
    private let automatic = NumberPattern("")

    /// Reads the number formats of a spreadsheet once.
    init(_ spreadsheet: Spreadsheet) {
        patterns = spreadsheet.formats.numbersInUse.reduce(into: [:]) { patterns, number in
            guard let format = spreadsheet.formats[number]["numberFormat"] else { return }
            patterns[number] = NumberPattern(
                type: format["type"]?.string ?? "NUMBER_FORMAT_TYPE_UNSPECIFIED", pattern: format["pattern"]?.string)
        }
    }

    /// The text that a cell shows.
    ///
    /// A formula shows itself, for it is not computed.
    func text(_ cell: Cell) -> String {
        switch cell.value {
        case .empty: ""
        case .text(let text), .formula(let text): text
        case .boolean(let value): value ? "TRUE" : "FALSE"
        case .number(let number): (patterns[cell.format] ?? automatic).text(number)
        }
    }
}

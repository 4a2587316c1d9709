import JSON

/// Shows cells as a person sees them.
struct CellFormatter: Sendable {
    private let patterns: [UInt32: NumberPattern]
    private let dates: Set<UInt32>
    private let automatic = NumberPattern("")

    /// Reads the number formats of a spreadsheet once.
    init(_ spreadsheet: Spreadsheet) {
        var patterns: [UInt32: NumberPattern] = [:]
        var dates: Set<UInt32> = []
        for number in spreadsheet.formats.numbersInUse {
            guard let format = spreadsheet.formats[number]["numberFormat"] else { continue }
            let type = format["type"]?.string ?? "NUMBER_FORMAT_TYPE_UNSPECIFIED"
            patterns[number] = NumberPattern(type: type, pattern: format["pattern"]?.string)
            if ["DATE", "TIME", "DATE_TIME"].contains(type) { dates.insert(number) }
        }
        self.patterns = patterns
        self.dates = dates
    }

    /// Whether a format shows numbers as dates or times.
    func isDate(_ format: UInt32) -> Bool { dates.contains(format) }

    /// The text that a cell shows; a formula shows itself, for it is not computed here.
    func text(_ cell: Cell) -> String {
        switch cell.value {
        case .empty: ""
        case .text(let text), .formula(let text): text
        case .boolean(let value): value ? "TRUE" : "FALSE"
        case .number(let number): (patterns[cell.format] ?? automatic).text(number)
        }
    }
}

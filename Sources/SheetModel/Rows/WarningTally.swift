/// Counts what was not taken over quite as it came, for the columns of one sheet.
struct WarningTally: Sendable {
    private var counts: [[CellWarning: Int]]

    init(columns: Int) { counts = Array(repeating: [:], count: columns) }

    mutating func add(_ warning: CellWarning, column: Int) { counts[column][warning, default: 0] += 1 }

    /// One warning for each column and kind.
    func warnings(sheet name: String, columns: [Column]) -> [ConversionWarning] {
        zip(columns, counts).enumerated().flatMap { index, element in
            let (column, counts) = element
            let columnName = column.name.isEmpty ? A1.letters(ofColumn: index) : column.name
            return CellWarning.allCases.compactMap { kind in
                counts[kind].map { ConversionWarning(sheet: name, column: columnName, kind: kind, count: $0) }
            }
        }
    }
}

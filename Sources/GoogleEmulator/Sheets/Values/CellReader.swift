import JSON

/// Reads cells of a spreadsheet with formulas computed.
struct CellReader {
    let spreadsheet: Spreadsheet
    private let formatter: CellFormatter
    private let evaluator: FormulaEvaluator

    init(_ spreadsheet: Spreadsheet) {
        self.spreadsheet = spreadsheet
        formatter = CellFormatter(spreadsheet)
        evaluator = FormulaEvaluator(spreadsheet)
    }

    /// What a cell holds or its formula comes to; `sheet` is the sheet's place.
    func value(_ cell: Cell, sheet: Int, row: Int, column: Int) -> FormulaValue {
        evaluator.value(of: cell, sheet: sheet, row: row, column: column)
    }

    /// The text that a cell shows.
    func text(_ cell: Cell, sheet: Int, row: Int, column: Int) -> String {
        guard case .formula = cell.value else { return formatter.text(cell) }
        let value = value(cell, sheet: sheet, row: row, column: column)
        if case .number(let number) = value { return formatter.text(Cell(value: .number(number), format: cell.format)) }
        return value.text
    }

    /// A cell as `values.get` shows it.
    func json(
        _ cell: Cell, sheet: Int, row: Int, column: Int, rendering: ValueRange.Rendering, showsDates: Bool
    ) -> JSON {
        switch (cell.value, rendering) {
        case (.empty, _): return ""
        case (.text(let text), _): return .string(text)
        case (.formula(let text), .formula): return .string(text)
        case (_, .formatted): return .string(text(cell, sheet: sheet, row: row, column: column))
        default: break
        }
        switch value(cell, sheet: sheet, row: row, column: column) {
        case .number(let number):
            if showsDates, formatter.isDate(cell.format) {
                return .string(text(cell, sheet: sheet, row: row, column: column))
            }
            return JSON(number)
        case .boolean(let value): return JSON(value)
        case let value: return .string(value.text)
        }
    }
}

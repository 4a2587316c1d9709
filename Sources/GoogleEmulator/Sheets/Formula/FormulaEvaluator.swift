import Glibc

/// Computes the formulas of a spreadsheet, each once.
///
/// It knows arithmetic, comparison, joining of texts and the common functions; other functions come to `#NAME?`.
final class FormulaEvaluator {
    private struct Place: Hashable {
        let sheet: Int
        let row: Int
        let column: Int
    }

    /// How many formulas may wait for one another.
    private static let greatestDepth = 200
    /// How many operations may wait for one another, over all formulas.
    private static let greatestOperationDepth = 2000

    private let spreadsheet: Spreadsheet
    private var known: [Place: FormulaValue] = [:]
    private var waiting: Set<Place> = []
    private var operationDepth = 0

    init(_ spreadsheet: Spreadsheet) { self.spreadsheet = spreadsheet }

    /// What a cell holds or comes to.
    func value(of cell: Cell, sheet: Int, row: Int, column: Int) -> FormulaValue {
        switch cell.value {
        case .empty: return .empty
        case .number(let number): return .number(number)
        case .text(let text): return .text(text)
        case .boolean(let value): return .boolean(value)
        case .formula(let formula):
            let place = Place(sheet: sheet, row: row, column: column)
            if let value = known[place] { return value }
            // A formula that needs its own value has none.
            guard waiting.count < Self.greatestDepth, waiting.insert(place).inserted else { return .error(.reference) }
            let value = FormulaParser.parse(formula).map { evaluate($0, sheet) } ?? .error(.syntax)
            waiting.remove(place)
            // A formula that comes to nothing shows zero.
            known[place] = value == .empty ? .number(0) : value
            return known[place] ?? value
        }
    }

    /// The values of cells, row by row, as far as the grid is in use.
    func values(in range: GridRange, sheet: Int) -> [FormulaValue] {
        let grid = spreadsheet.sheets[sheet].grid
        let columns = range.columns(in: grid)
        let rows = range.rows(in: grid)
        let end = max(rows.lowerBound, min(rows.upperBound, grid.usedRowCount))
        var values: [FormulaValue] = []
        for row in rows.lowerBound..<end {
            let cells = grid[row]
            for column in columns.lowerBound..<max(columns.lowerBound, min(columns.upperBound, cells.cells.count)) {
                values.append(value(of: cells[column], sheet: sheet, row: row, column: column))
            }
        }
        return values
    }

    /// The sheet and the cells that an expression names; nil where it names none.
    private func cells(_ expression: FormulaExpression, _ own: Int) -> (sheet: Int, range: GridRange)? {
        switch expression {
        case .range(let title, let range):
            guard let title else { return (own, range) }
            return spreadsheet.index(ofTitle: title).map { ($0, range) }
        case .name(let name):
            guard let range = spreadsheet.namedRange(name), let sheet = spreadsheet.index(ofSheet: range.sheetID)
            else { return nil }
            return (sheet, range)
        default: return nil
        }
    }

    /// The values of a function's argument.
    func values(_ expression: FormulaExpression, _ sheet: Int) -> (values: [FormulaValue], isRange: Bool) {
        if let cells = cells(expression, sheet) { return (values(in: cells.range, sheet: cells.sheet), true) }
        return ([evaluate(expression, sheet)], false)
    }

    /// What an expression comes to in a cell of a sheet.
    func evaluate(_ expression: FormulaExpression, _ sheet: Int) -> FormulaValue {
        guard operationDepth < Self.greatestOperationDepth else { return .error(.reference) }
        operationDepth += 1
        defer { operationDepth -= 1 }
        switch expression {
        case .value(let value): return value
        case .range, .name:
            guard let (sheet, range) = cells(expression, sheet) else {
                if case .name = expression { return .error(.name) }
                return .error(.reference)
            }
            guard range.startRow ?? 0 < spreadsheet.sheets[sheet].grid.rowCount,
                range.startColumn ?? 0 < spreadsheet.sheets[sheet].grid.columnCount
            else { return .error(.reference) }
            // Where one value is wanted, a range gives its first cell.
            let row = range.startRow ?? 0
            let column = range.startColumn ?? 0
            return value(of: spreadsheet.sheets[sheet].grid[row][column], sheet: sheet, row: row, column: column)
        case .negated(let operand): return arithmetic(.number(0), evaluate(operand, sheet)) { $0 - $1 }
        case .percent(let operand): return arithmetic(evaluate(operand, sheet), .number(100)) { $0 / $1 }
        case .operation(let name, let left, let right):
            return operation(name, evaluate(left, sheet), evaluate(right, sheet))
        case .call(let name, let arguments):
            return FormulaFunctions.call(name, arguments, sheet, self)
        }
    }

    private func operation(_ name: String, _ left: FormulaValue, _ right: FormulaValue) -> FormulaValue {
        switch name {
        case "+": return arithmetic(left, right) { $0 + $1 }
        case "-": return arithmetic(left, right) { $0 - $1 }
        case "*": return arithmetic(left, right) { $0 * $1 }
        case "^": return arithmetic(left, right) { pow($0, $1) }
        case "/":
            if case .success(0) = right.number, case .success = left.number { return .error(.division) }
            return arithmetic(left, right) { $0 / $1 }
        default: break
        }
        if case .error = left { return left }
        if case .error = right { return right }
        if name == "&" { return .text(left.text + right.text) }
        let (isLess, isEqual) = Self.compare(left, right)
        let result =
            switch name {
            case "=": isEqual
            case "<>": !isEqual
            case "<": isLess
            case ">": !isLess && !isEqual
            case "<=": isLess || isEqual
            default: !isLess
            }
        return .boolean(result)
    }

    private func arithmetic(
        _ left: FormulaValue, _ right: FormulaValue, _ operation: (Double, Double) -> Double
    ) -> FormulaValue {
        switch (left.number, right.number) {
        case (.failure(let error), _), (_, .failure(let error)): return .error(error)
        case (.success(let left), .success(let right)):
            let result = operation(left, right)
            return result.isFinite ? .number(result) : .error(.number)
        }
    }

    /// Numbers come before texts, texts before truth values; texts compare without regard to case.
    private static func compare(_ left: FormulaValue, _ right: FormulaValue) -> (isLess: Bool, isEqual: Bool) {
        switch (left, right) {
        case (.text(let left), .text(let right)):
            let (left, right) = (left.lowercased(), right.lowercased())
            return (left < right, left == right)
        case (.text(let text), .empty): return (false, text.isEmpty)
        case (.empty, .text(let text)): return (!text.isEmpty, text.isEmpty)
        case (.text, .boolean): return (true, false)
        case (.boolean, .text): return (false, false)
        case (.text, _): return (false, false)
        case (_, .text): return (true, false)
        default:
            guard case .success(let left) = left.number, case .success(let right) = right.number else {
                return (false, false)
            }
            return (left < right, left == right)
        }
    }
}

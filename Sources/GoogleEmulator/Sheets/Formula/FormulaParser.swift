/// A recursive-descent parser of formulas.
struct FormulaParser {
    private static let greatestDepth = 64
    /// So many operators make a tree that is still safe to walk.
    private static let greatestOperatorCount = 1000
    private static let levels: [Set<String>] = [["=", "<>", "<", ">", "<=", ">="], ["&"], ["+", "-"], ["*", "/"]]

    private let tokens: [FormulaToken]
    private var position = 0
    private var depth = 0
    private var operatorCount = 0

    /// The tree of a formula that begins with an equals sign; nil where it makes no sense.
    static func parse(_ formula: String) -> FormulaExpression? {
        guard formula.first == "=", let tokens = FormulaToken.all(in: formula.dropFirst()) else { return nil }
        var parser = FormulaParser(tokens: tokens.filter { $0.kind != .space })
        guard let expression = parser.expression(0), parser.position == parser.tokens.count else { return nil }
        return expression
    }

    private init(tokens: [FormulaToken]) { self.tokens = tokens }

    private var next: FormulaToken? { position < tokens.count ? tokens[position] : nil }

    private mutating func take(_ symbol: String) -> Bool {
        guard next?.kind == .symbol, next?.text == symbol else { return false }
        position += 1
        return true
    }

    private mutating func expression(_ level: Int) -> FormulaExpression? {
        guard depth < Self.greatestDepth else { return nil }
        guard level < Self.levels.count else { return power() }
        guard var left = expression(level + 1) else { return nil }
        while let token = next, token.kind == .symbol, Self.levels[level].contains(token.text) {
            position += 1
            operatorCount += 1
            guard operatorCount <= Self.greatestOperatorCount, let right = expression(level + 1) else { return nil }
            left = .operation(token.text, left, right)
        }
        return left
    }

    private mutating func power() -> FormulaExpression? {
        depth += 1
        defer { depth -= 1 }
        guard depth < Self.greatestDepth else { return nil }
        if take("-") { return power().map(FormulaExpression.negated) }
        if take("+") { return power() }
        guard var base = atom() else { return nil }
        while take("%") {
            operatorCount += 1
            guard operatorCount <= Self.greatestOperatorCount else { return nil }
            base = .percent(base)
        }
        guard take("^") else { return base }
        guard let exponent = power() else { return nil }
        return .operation("^", base, exponent)
    }

    private mutating func atom() -> FormulaExpression? {
        guard let token = next else { return nil }
        position += 1
        switch token.kind {
        case .number: return Double(token.text).map { .value(.number($0)) }
        case .string:
            let text = String(token.text.dropFirst().dropLast())
            return .value(
                .text(text.split(separator: "\"\"", omittingEmptySubsequences: false).joined(separator: "\"")))
        case .sheet:
            guard let word = next, word.kind == .word || word.kind == .number else { return nil }
            position += 1
            if word.text == "#REF!" { return .value(.error(.reference)) }
            return reference(word.text, sheet: A1.unquoted(token.text.dropLast()))
        case .word: return word(token.text)
        case .symbol:
            guard token.text == "(" else { return nil }
            let inner = expression(0)
            return take(")") ? inner : nil
        case .space: return nil
        }
    }

    private mutating func word(_ text: String) -> FormulaExpression? {
        if take("(") { return call(text) }
        switch text.uppercased() {
        case "TRUE": return .value(.boolean(true))
        case "FALSE": return .value(.boolean(false))
        case "#REF!": return .value(.error(.reference))
        default: return reference(text, sheet: nil)
        }
    }

    private mutating func call(_ name: String) -> FormulaExpression? {
        depth += 1
        defer { depth -= 1 }
        var arguments: [FormulaExpression] = []
        if take(")") { return .call(name.uppercased(), []) }
        repeat {
            guard let argument = expression(0) else { return nil }
            arguments.append(argument)
        } while take(",") || take(";")
        return take(")") ? .call(name.uppercased(), arguments) : nil
    }

    private mutating func reference(_ text: String, sheet: String?) -> FormulaExpression? {
        var spelling = text
        if take(":") {
            guard let end = next, end.kind == .word || end.kind == .number else { return nil }
            position += 1
            spelling += ":" + end.text
        }
        if let range = A1.cells(spelling[...], sheetID: 0) { return .range(sheet: sheet, range) }
        return spelling == text && sheet == nil ? .name(text) : nil
    }
}

/// A piece of a formula; all texts in a row are the formula again.
struct FormulaToken: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        case number
        /// Text in quotation marks.
        case string
        /// A sheet's title with its exclamation mark.
        case sheet
        /// A name, a reference or a truth value.
        case word
        case symbol
        case space
    }

    let kind: Kind
    var text: String

    /// Cuts a formula, without its equals sign, into tokens; nil where quotation marks stay open.
    static func all(in formula: Substring) -> [FormulaToken]? {
        var tokens: [FormulaToken] = []
        var rest = formula
        while let first = rest.first {
            let start = rest
            let kind: Kind
            switch first {
            case "\"", "'":
                guard skipQuoted(first, &rest) else { return nil }
                kind = first == "\"" ? .string : .sheet
                if kind == .sheet, rest.popFirst() != "!" { return nil }
            // What stands in the place of a cell that is gone.
            case "#" where rest.hasPrefix("#REF!"):
                rest.removeFirst(5)
                kind = .word
            case "0"..."9", ".":
                skipNumber(&rest)
                kind = .number
            case _ where first.isLetter || first == "_" || first == "$":
                rest = rest.drop { $0.isLetter || $0.isNumber || "_$.".contains($0) }
                kind = rest.first == "!" ? .sheet : .word
                if kind == .sheet { rest.removeFirst() }
            case _ where first.isWhitespace:
                rest = rest.drop(while: \.isWhitespace)
                kind = .space
            default:
                let isPair = ["<=", ">=", "<>"].contains(String(rest.prefix(2)))
                rest.removeFirst(isPair ? 2 : 1)
                kind = .symbol
            }
            tokens.append(FormulaToken(kind: kind, text: String(start[..<rest.startIndex])))
        }
        return tokens
    }

    private static func skipQuoted(_ mark: Character, _ rest: inout Substring) -> Bool {
        rest.removeFirst()
        while let character = rest.popFirst() {
            guard character == mark else { continue }
            guard rest.first == mark else { return true }
            rest.removeFirst()
        }
        return false
    }

    private static func skipNumber(_ rest: inout Substring) {
        rest = rest.drop { $0.isNumber || $0 == "." }
        guard let mark = rest.first, mark == "e" || mark == "E" else { return }
        var exponent = rest.dropFirst()
        if let sign = exponent.first, "+-".contains(sign) { exponent.removeFirst() }
        if exponent.first?.isNumber == true { rest = exponent.drop(while: \.isNumber) }
    }
}

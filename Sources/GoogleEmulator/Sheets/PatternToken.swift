/// A piece of a number format's pattern.
enum PatternToken: Sendable, Hashable {
    /// Text that stands for itself: quoted, escaped, or a character without a meaning.
    case literal(String)
    /// A digit: `0`, `#` or `?`.
    case digit(Character)
    case point
    case comma
    case percent
    /// `E+` or `E-`.
    case exponent(showsPlus: Bool)
    /// A run of one date letter: `yyyy`, `mm`, `ss`.
    case date(Character, count: Int)
    /// A duration: `[h]`, `[mm]`.
    case elapsed(Character, count: Int)
    /// `am/pm` or `a/p`.
    case halfDay(isShort: Bool)
    case general

    var isDate: Bool {
        switch self {
        case .date, .elapsed, .halfDay: true
        default: false
        }
    }

    /// Cuts a pattern into its sections, which semicolons part, and each into tokens.
    static func sections(of pattern: String) -> [[PatternToken]] {
        var sections: [[PatternToken]] = [[]]
        var rest = Substring(pattern)
        while let first = rest.first {
            let token: PatternToken?
            switch first {
            case ";":
                rest.removeFirst()
                sections.append([])
                continue
            case "\"":
                rest.removeFirst()
                let text = rest.prefix { $0 != "\"" }
                rest.removeFirst(min(rest.count, text.count + 1))
                token = .literal(String(text))
            case "[":
                rest.removeFirst()
                let text = rest.prefix { $0 != "]" }
                rest.removeFirst(min(rest.count, text.count + 1))
                token = bracket(text)
            case "\\":
                rest.removeFirst()
                token = rest.popFirst().map { .literal(String($0)) }
            // A star repeats the next character to fill the cell, an underscore leaves its width: both need a real cell.
            case "*", "_":
                rest.removeFirst(min(rest.count, 2))
                token = first == "_" ? .literal(" ") : nil
            default: token = plain(&rest)
            }
            if let token { sections[sections.count - 1].append(token) }
        }
        return sections
    }

    private static func plain(_ rest: inout Substring) -> PatternToken {
        let lowercased = rest.prefix(7).lowercased()
        for (word, token) in [
            ("am/pm", PatternToken.halfDay(isShort: false)), ("a/p", .halfDay(isShort: true)), ("general", .general),
            ("e+", .exponent(showsPlus: true)), ("e-", .exponent(showsPlus: false)),
        ] where lowercased.hasPrefix(word) {
            rest.removeFirst(word.count)
            return token
        }
        let first = rest.removeFirst()
        switch first {
        case "0", "#", "?": return .digit(first)
        case ".": return .point
        case ",": return .comma
        case "%": return .percent
        default: break
        }
        let letter = Character(first.lowercased())
        guard "ymdhs".contains(letter) else { return .literal(String(first)) }
        var count = 1
        while let next = rest.first, Character(next.lowercased()) == letter {
            rest.removeFirst()
            count += 1
        }
        return .date(letter, count: count)
    }

    /// A currency `[$€-407]`, a duration `[hh]`, or a colour or a condition, which show nothing.
    private static func bracket(_ text: Substring) -> PatternToken? {
        if text.first == "$" { return .literal(String(text.dropFirst().prefix { $0 != "-" })) }
        let lowercased = text.lowercased()
        guard let letter = lowercased.first, "hms".contains(letter), lowercased.allSatisfy({ $0 == letter }) else {
            return nil
        }
        return .elapsed(letter, count: lowercased.count)
    }
}

/// A recursive-descent parser of Drive's query language.
struct DriveQueryParser {
    /// The text is no query.
    struct SyntaxError: Error {}

    private enum Token: Equatable {
        case word(String)
        case text(String)
        case symbol(String)
    }

    private static let greatestDepth = 100

    private var tokens: ArraySlice<Token>
    private var depth = 0

    /// Reads a query.
    static func parse(_ text: String) throws(SyntaxError) -> DriveQuery {
        var parser = DriveQueryParser(tokens: try tokenize(text)[...])
        let query = try parser.either()
        guard parser.tokens.isEmpty else { throw SyntaxError() }
        return query
    }

    private init(tokens: ArraySlice<Token>) { self.tokens = tokens }

    private mutating func either() throws(SyntaxError) -> DriveQuery {
        var query = try both()
        while takeWord("or") { query = .or(query, try both()) }
        return query
    }

    private mutating func both() throws(SyntaxError) -> DriveQuery {
        var query = try negated()
        while takeWord("and") { query = .and(query, try negated()) }
        return query
    }

    private mutating func negated() throws(SyntaxError) -> DriveQuery {
        depth += 1
        defer { depth -= 1 }
        guard depth < Self.greatestDepth else { throw SyntaxError() }
        if takeWord("not") { return .not(try negated()) }
        if take(.symbol("(")) {
            let query = try either()
            guard take(.symbol(")")) else { throw SyntaxError() }
            return query
        }
        return try term()
    }

    private mutating func term() throws(SyntaxError) -> DriveQuery {
        switch tokens.popFirst() {
        case .text(let value):
            guard takeWord("in"), case .word(let collection)? = tokens.popFirst() else { throw SyntaxError() }
            switch collection {
            case "parents": return .parent(value)
            case "owners": return .owner(value)
            case "writers": return .grantee(value, .writer)
            case "readers": return .grantee(value, .reader)
            default: throw SyntaxError()
            }
        case .word(let field): return try comparison(field)
        default: throw SyntaxError()
        }
    }

    private mutating func comparison(_ field: String) throws(SyntaxError) -> DriveQuery {
        switch field {
        case "name", "mimeType":
            let comparison = try comparison()
            let value = try text()
            guard [.equal, .notEqual, .contains].contains(comparison) else { throw SyntaxError() }
            return field == "name" ? .name(comparison, value) : .mimeType(comparison, value)
        case "modifiedTime", "createdTime", "viewedByMeTime", "sharedWithMeTime":
            let comparison = try comparison()
            guard comparison != .contains, let time = Timestamp(rfc3339: try text()) else { throw SyntaxError() }
            // When somebody last looked is not kept; the last change stands for it.
            return field == "createdTime" ? .createdTime(comparison, time) : .modifiedTime(comparison, time)
        case "fullText":
            guard try comparison() == .contains else { throw SyntaxError() }
            return .fullText(try text())
        case "visibility", "shortcutDetails.targetId":
            let comparison = try comparison()
            guard comparison == .equal || comparison == .notEqual else { throw SyntaxError() }
            let value = try text()
            return field == "visibility" ? .visibility(comparison, value) : .shortcutTarget(comparison, value)
        case "trashed": return .trashed(try truth())
        case "starred": return .starred(try truth())
        case "sharedWithMe":
            if case .symbol(let symbol)? = tokens.first, symbol != ")" { return .sharedWithMe(try truth()) }
            return .sharedWithMe(true)
        case "appProperties", "properties":
            guard takeWord("has") else { throw SyntaxError() }
            let (key, value) = try pair()
            return field == "properties" ? .property(key: key, value: value) : .appProperty(key: key, value: value)
        default: throw SyntaxError()
        }
    }

    private mutating func comparison() throws(SyntaxError) -> DriveQuery.Comparison {
        switch tokens.popFirst() {
        case .symbol(let symbol):
            guard let comparison = DriveQuery.Comparison(rawValue: symbol) else { throw SyntaxError() }
            return comparison
        case .word("contains"): return .contains
        default: throw SyntaxError()
        }
    }

    private mutating func text() throws(SyntaxError) -> String {
        guard case .text(let value)? = tokens.popFirst() else { throw SyntaxError() }
        return value
    }

    /// `= true`, `!= false` and the like, as what the field must be.
    private mutating func truth() throws(SyntaxError) -> Bool {
        let comparison = try comparison()
        guard comparison == .equal || comparison == .notEqual, case .word(let word)? = tokens.popFirst(),
            let value = Bool(word)
        else { throw SyntaxError() }
        return comparison == .equal ? value : !value
    }

    /// A pair as in `{ key='k' and value='v' }`.
    private mutating func pair() throws(SyntaxError) -> (String, String) {
        guard take(.symbol("{")), takeWord("key"), take(.symbol("=")) else { throw SyntaxError() }
        let key = try text()
        guard takeWord("and"), takeWord("value"), take(.symbol("=")) else { throw SyntaxError() }
        let value = try text()
        guard take(.symbol("}")) else { throw SyntaxError() }
        return (key, value)
    }

    private mutating func take(_ token: Token) -> Bool {
        guard tokens.first == token else { return false }
        tokens.removeFirst()
        return true
    }

    private mutating func takeWord(_ word: String) -> Bool {
        guard case .word(let found)? = tokens.first, found.lowercased() == word else { return false }
        tokens.removeFirst()
        return true
    }

    /// Cuts the text into words, quoted texts (with `\'` and `\\`) and symbols.
    private static func tokenize(_ text: String) throws(SyntaxError) -> [Token] {
        var tokens: [Token] = []
        var rest = Substring(text)
        while let first = rest.first {
            if first.isWhitespace {
                rest.removeFirst()
            } else if first == "'" || first == "\"" {
                rest.removeFirst()
                tokens.append(.text(try quoted(&rest, until: first)))
            } else if first.isLetter {
                let word = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." }
                tokens.append(.word(String(word)))
                rest.removeFirst(word.count)
            } else if let symbol = ["!=", "<=", ">=", "=", "<", ">", "(", ")", "{", "}"].first(where: rest.hasPrefix) {
                tokens.append(.symbol(symbol))
                rest.removeFirst(symbol.count)
            } else {
                throw SyntaxError()
            }
        }
        return tokens
    }

    private static func quoted(_ rest: inout Substring, until quote: Character) throws(SyntaxError) -> String {
        var value = ""
        while let character = rest.popFirst() {
            if character == quote { return value }
            if character == "\\" {
                guard let escaped = rest.popFirst(), escaped == "\\" || escaped == "'" || escaped == "\"" else {
                    throw SyntaxError()
                }
                value.append(escaped)
            } else {
                value.append(character)
            }
        }
        throw SyntaxError()
    }
}

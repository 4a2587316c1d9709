/// The path of a method, with variables: `v4/spreadsheets/{spreadsheetId}:batchUpdate`.
struct PathTemplate: Sendable {
    private enum Segment: Sendable {
        case literal(String)
        /// A variable, and the literal text behind it in the same segment.
        case variable(String, suffix: String)
    }

    private let segments: [Segment]
    /// How much of the template is literal, in bytes.
    let literalLength: Int

    init(_ text: Substring) {
        segments = text.split(separator: "/").map { part in
            guard part.first == "{", let end = part.firstIndex(of: "}") else { return .literal(String(part)) }
            return .variable(
                String(part[part.index(after: part.startIndex)..<end]), suffix: String(part[part.index(after: end)...]))
        }
        literalLength = segments.reduce(0) { sum, segment in
            switch segment {
            case .literal(let text): sum + text.utf8.count + 1
            case .variable(_, let suffix): sum + suffix.utf8.count
            }
        }
    }

    /// What the variables stand for where the path fits; nil where it does not.
    ///
    /// The segments come percent-decoded.
    func match(_ path: [String]) -> [String: String]? {
        guard path.count == segments.count else { return nil }
        var variables: [String: String] = [:]
        for (segment, text) in zip(segments, path) {
            switch segment {
            case .literal(let literal):
                guard text == literal else { return nil }
            case .variable(let name, let suffix):
                guard text.hasSuffix(suffix), text.utf8.count > suffix.utf8.count else { return nil }
                variables[name] = String(text.dropLast(suffix.count))
            }
        }
        return variables
    }
}

/// A statement whose interpolated values travel beside the text, never inside it.
///
/// A text that others have written goes in with `\(storable:)`, so that no character of it is refused.
///
///     "select id from job where kind = \(kind) and priority <= \(limit)"
///
/// Every value becomes `$1`, `$2` … and is sent in text form. Names of tables and schemas cannot be parameters; they go in
/// with `\(identifier:)`, which quotes them.
public struct Query: Sendable, ExpressibleByStringInterpolation {
    /// The text with numbered parameters.
    public let sql: String
    /// The parameters' text forms; nil is NULL.
    public let parameters: [String?]
    /// Which of them are made storable before they are sent.
    let storable: Set<Int>

    /// Makes a statement without parameters of a text that is put together.
    init(sql: String) {
        self.sql = sql
        parameters = []
        storable = []
    }

    /// Makes a statement without parameters.
    public init(stringLiteral sql: String) {
        self.sql = sql
        parameters = []
        storable = []
    }

    /// Makes a statement of its parts.
    public init(stringInterpolation parts: StringInterpolation) {
        sql = parts.sql
        parameters = parts.parameters
        storable = parts.storable
    }

    /// The parameters as a database takes them that keeps its texts in an encoding.
    func parameters(for encoding: ServerEncoding) -> [String?] {
        guard !storable.isEmpty else { return parameters }
        return parameters.enumerated().map { index, value in
            storable.contains(index) ? value.map { encoding.storable($0) } : value
        }
    }

    /// Collects text and parameters.
    public struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var sql = ""
        fileprivate var parameters: [String?] = []
        fileprivate var storable: Set<Int> = []

        /// Begins with room for what is coming.
        public init(literalCapacity: Int, interpolationCount: Int) {
            sql.reserveCapacity(literalCapacity + interpolationCount * 3)
            parameters.reserveCapacity(interpolationCount)
        }

        /// Adds text of the statement.
        public mutating func appendLiteral(_ literal: String) { sql += literal }

        /// Adds a text parameter, or NULL.
        public mutating func appendInterpolation(_ value: String?) {
            parameters.append(value)
            sql += "$\(parameters.count)"
        }

        /// Adds a text parameter, or NULL, that must arrive although the database may not take each of its characters.
        ///
        /// For what somebody else has said: an error's words, a name, a result as JSON. What the database's encoding lacks is
        /// written plainly or becomes a question mark, and so does a NUL.
        public mutating func appendInterpolation(storable value: String?) {
            storable.insert(parameters.count)
            appendInterpolation(value)
        }

        /// Adds a whole number as a parameter.
        public mutating func appendInterpolation(_ value: (some BinaryInteger)?) {
            appendInterpolation(value.map { String($0) })
        }

        /// Adds a floating-point number as a parameter.
        public mutating func appendInterpolation(_ value: Double?) { appendInterpolation(value.map { "\($0)" }) }

        /// Adds a boolean as a parameter.
        public mutating func appendInterpolation(_ value: Bool?) { appendInterpolation(value.map { $0 ? "t" : "f" }) }

        /// Adds an array of whole numbers as a parameter.
        public mutating func appendInterpolation(_ values: [some BinaryInteger]) {
            appendInterpolation("{" + values.map { String($0) }.joined(separator: ",") + "}")
        }

        /// Adds a quoted name.
        public mutating func appendInterpolation(identifier name: String) { sql += quoted(identifier: name) }
    }
}

/// Quotes a name as SQL does: in double quotes, those inside doubled.
public func quoted(identifier name: String) -> String {
    "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
}

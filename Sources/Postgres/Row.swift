/// One row of an answer, its cells as the text that Postgres sent.
public struct Row: Sendable {
    private let columns: [String: Int]
    private let cells: [String?]

    init(columns: [String: Int], cells: [String?]) {
        self.columns = columns
        self.cells = cells
    }

    /// The text of a column, nil for NULL.
    public func optionalText(_ column: String) throws(PostgresError) -> String? {
        guard let index = columns[column] else {
            throw PostgresError(.unexpectedResult, "there is no column \(column)")
        }
        return cells[index]
    }

    /// The text of a column that is not NULL.
    public func text(_ column: String) throws(PostgresError) -> String {
        guard let text = try optionalText(column) else { throw PostgresError(.unexpectedResult, "\(column) is NULL") }
        return text
    }

    /// A whole number, nil for NULL.
    public func optionalInt(_ column: String) throws(PostgresError) -> Int? {
        guard let text = try optionalText(column) else { return nil }
        guard let value = Int(text) else { throw PostgresError(.unexpectedResult, "\(column) is no whole number") }
        return value
    }

    /// A whole number that is not NULL.
    public func int(_ column: String) throws(PostgresError) -> Int {
        guard let value = try optionalInt(column) else { throw PostgresError(.unexpectedResult, "\(column) is NULL") }
        return value
    }

    /// A floating-point number, nil for NULL.
    public func optionalDouble(_ column: String) throws(PostgresError) -> Double? {
        guard let text = try optionalText(column) else { return nil }
        guard let value = Double(text) else { throw PostgresError(.unexpectedResult, "\(column) is no number") }
        return value
    }

    /// A boolean that is not NULL.
    public func bool(_ column: String) throws(PostgresError) -> Bool {
        switch try text(column) {
        case "t": true
        case "f": false
        default: throw PostgresError(.unexpectedResult, "\(column) is no boolean")
        }
    }
}

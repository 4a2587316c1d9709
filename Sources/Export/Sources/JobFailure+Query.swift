import JobQueue
import Postgres

extension JobFailure {
    /// Decides what becomes of a job whose query failed.
    ///
    /// What the server says of the statement is said on; its details, which may hold values, never come here.
    init(_ error: PostgresError, of query: SheetQuery, timeout: Duration) {
        let place = "\(query.statementPath): "
        switch error.code {
        case .timedOut:
            self.init(
                .queryTimedOut,
                "\(place)The query was given up: \(error.message). It may take "
                    + "\(timeout.components.seconds) s (SHEETSYNC_QUERY_TIMEOUT) from its start to its last row.",
                retry: .never)
        case .server where !Self.passes(error):
            let state = error.sqlState.map { " (SQLSTATE \($0))" } ?? ""
            let message = error.sqlState?.hasPrefix("22") == true ? Self.withoutValues(error.message) : error.message
            self.init(
                .queryFailed, "\(place)The source database refused the query: \(message)\(state).", retry: .never)
        case .unexpectedResult:
            self.init(
                .queryFailed, "\(place)The query failed: \(error.message); only one that gives rows can fill a sheet.",
                retry: .never)
        case .connectionFailed, .connectionLost, .server, .configuration:
            self.init(
                .queryUnavailable, "\(place)The source database could not answer: \(error). The query runs again.",
                retry: .backoff)
        }
    }

    /// Whether the same statement may succeed later.
    ///
    /// A wrong number of parameters has a code of the class for connections.
    private static func passes(_ error: PostgresError) -> Bool { error.isTransient && error.sqlState != "08P01" }

    /// A sentence about data, without what stands between its quotes: that is often the value.
    private static func withoutValues(_ message: String) -> String {
        let parts = message.split(separator: "\"", omittingEmptySubsequences: false)
        return parts.enumerated().map { $0.offset % 2 == 0 ? String($0.element) : "\"…\"" }.joined()
    }
}

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
            self.init(
                .queryFailed, "\(place)The source database refused the query: \(Self.words(of: error))\(state).",
                retry: .never)
        case .rowTooLarge:
            self.init(
                .queryFailed,
                "\(place)The query was given up: \(error.description), and no cell takes more than 50,000 "
                    + "characters; let it give less.", retry: .never)
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
    /// A wrong number of parameters has a code of the class for connections, and one that writes is refused by each server.
    private static func passes(_ error: PostgresError) -> Bool {
        error.isTransient && error.sqlState != "08P01" && error.sqlState != "25006"
    }

    /// The server's sentence without data.
    ///
    /// Where it points to a place in the statement, it speaks of names that stand there. Else, and always where it is about
    /// a value (class 22), what stands between its quotes may be one. What a function of the database's own says is its own.
    private static func words(of error: PostgresError) -> String {
        let message = error.message
        if error.sqlState?.hasPrefix("P0") == true {
            return "one of the database's functions refused it; the database's log has its words"
        }
        guard error.position == nil || error.sqlState?.hasPrefix("22") == true,
            // Servers that speak other languages have other quotes.
            let first = message.firstIndex(where: "\"'«»„“”「".contains),
            let last = message.lastIndex(where: "\"'«»„“”」".contains)
        else { return message }
        return message[..<first] + "\"…\"" + message[message.index(after: last)...]
    }
}

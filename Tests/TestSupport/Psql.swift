import CPostgres
import Foundation
import Subprocess

/// Runs SQL as psql does; a single statement without the start of a program, which is what most of the time goes to.
enum Psql {
    /// Runs SQL and returns what psql prints, rows on lines and columns between bars.
    static func run(_ sql: String, url: String) async throws -> String {
        guard isSingleStatement(sql) else { return try await runProgram(sql, url: url) }
        return try await withCheckedThrowingContinuation { continuation in
            // A thread of its own, because the statement may wait for a lock.
            Thread.detachNewThread { continuation.resume(with: Result { try runStatement(sql, url: url) }) }
        }
    }

    /// Whether there is nothing in it that psql itself understands, and nothing that somebody may want to interrupt.
    private static func isSingleStatement(_ sql: String) -> Bool {
        var sql = sql.trimmingPrefix(while: \.isWhitespace)
        while let last = sql.last, last.isWhitespace || last == ";" { sql.removeLast() }
        let isForPsql = sql.contains { $0 == ";" || $0 == "\\" } || sql.contains("pg_sleep")
        return !isForPsql && !sql.lowercased().hasPrefix("copy")
    }

    private static func runStatement(_ sql: String, url: String) throws -> String {
        let connection = unsafe PQconnectdb(url + "&fallback_application_name=psql")
        defer { unsafe PQfinish(connection) }
        unsafe PQsetNoticeProcessor(connection, { _, _ in }, nil)
        guard unsafe PQstatus(connection) == CONNECTION_OK else {
            throw PsqlFailure(description: unsafe String(cString: PQerrorMessage(connection)))
        }
        let result = unsafe PQexec(connection, sql)
        defer { unsafe PQclear(result) }
        switch unsafe PQresultStatus(result) {
        case PGRES_TUPLES_OK: break
        case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: return ""
        default: throw PsqlFailure(description: unsafe String(cString: PQerrorMessage(connection)))
        }
        var lines: [String] = []
        for row in 0..<(unsafe PQntuples(result)) {
            let cells = (0..<(unsafe PQnfields(result))).map { column in
                unsafe String(cString: PQgetvalue(result, row, column))
            }
            lines.append(cells.joined(separator: "|"))
        }
        return withoutEmptyLines(lines.joined(separator: "\n"))
    }

    private static func runProgram(_ sql: String, url: String) async throws -> String {
        // From a file, because a psql that ends without reading its input crashes the process that feeds it.
        let script = FileManager.default.temporaryDirectory.appending(path: "sheetsync-\(UUID().uuidString).sql")
        try Data(sql.utf8).write(to: script)
        defer { try? FileManager.default.removeItem(at: script) }
        let result = try await Subprocess.run(
            .name("psql"),
            arguments: [
                "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url, "-f", script.path,
            ], output: .string(limit: 1_000_000), error: .string(limit: 100_000))
        guard result.terminationStatus.isSuccess else { throw PsqlFailure(description: result.standardError) }
        return withoutEmptyLines(result.standardOutput)
    }

    private static func withoutEmptyLines(_ text: String) -> String {
        text.split(separator: "\n").joined(separator: "\n")
    }
}

/// What psql said when it failed.
public struct PsqlFailure: Error, CustomStringConvertible {
    /// Its standard error.
    public let description: String
}

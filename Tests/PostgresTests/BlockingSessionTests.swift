import PostgresServer
import Synchronization
import TestSupport
import Testing

@testable import Postgres

@Suite struct BlockingSessionTests {
    private static func run<Result: Sendable>(
        _ work: @escaping @Sendable (borrowing BlockingSession) throws -> Result
    ) async throws -> Result {
        let server = try await SharedPostgres.server()
        return try await BlockingSession.run(
            try ConnectionConfiguration(url: server.url()), label: "stream test", work)
    }

    /// The rows of a statement, joined by commas, with NULL as a dash.
    private static func rows(
        _ statement: String, _ parameters: [String?] = [], within time: Duration = .seconds(60)
    ) async throws -> (columns: [ResultColumn], rows: [String]) {
        try await run { session in
            var columns: [ResultColumn] = []
            var rows: [String] = []
            try session.stream(statement, parameters, within: time) {
                columns = $0
            } row: { row in
                var cells: [String] = []
                row.forEachCell { column, text in
                    #expect(column == cells.count)
                    guard let text else { return cells.append("-") }
                    cells.append(String(decoding: text.indices.map { text[$0] }, as: UTF8.self))
                }
                rows.append(cells.joined(separator: ","))
            }
            return (columns, rows)
        }
    }

    @Test func rowsComeInTheirOrderWithColumnsAndNulls() async throws {
        let (columns, rows) = try await Self.rows(
            "select g as n, case when g > 1 then $1 end as t, '' as t from generate_series(1, 3) g", ["é"])
        #expect(rows == ["1,-,", "2,é,", "3,é,"])
        #expect(columns.map(\.name) == ["n", "t", "t"] && columns[0].typeID == 23, "\(columns)")
        let none = try await Self.rows("select 1 as one where false")
        #expect(none.columns.map(\.name) == ["one"] && none.rows.isEmpty)
        let many = try await Self.rows("select g from generate_series(1, 100000) g")
        #expect(many.rows == (1...100_000).map(String.init))
    }

    @Test func anErrorInTheMiddleIsTold() async throws {
        let error = await #expect(throws: PostgresError.self) {
            try await Self.rows("select 1 / (g - 500) from generate_series(1, 1000) g")
        }
        #expect(error?.sqlState == "22012")
        let refused = [
            "", "begin", "copy (select 1) to stdout", "create temporary table x(y int)", "select 1; select 2",
        ]
        for statement in refused {
            let error = await #expect(throws: PostgresError.self) { try await Self.rows(statement) }
            #expect(error?.code == .unexpectedResult || error?.sqlState == "42601", "\(statement): \(error as Any)")
        }
    }

    @Test func theDeadlineIsTheClientsToo() async throws {
        let error = await #expect(throws: PostgresError.self) {
            try await Self.rows("select pg_sleep(3600), 'deadline'", within: .milliseconds(300))
        }
        #expect(error?.code == .timedOut && error?.sqlState == nil, "\(error as Any)")
        // One that never pauses is ended as well.
        let busy = await #expect(throws: PostgresError.self) {
            try await Self.run { session in
                try session.stream("select generate_series(1, 2000000000), 'deadline'", [], within: .seconds(1)) { _ in
                } row: { _ in
                }
            }
        }
        #expect(busy?.code == .timedOut, "\(busy as Any)")
        try await Self.expectNone(of: "deadline")
    }

    @Test(arguments: [(60_000_000, true), (140_000_000, false)])
    func aRowThatIsTooLargeIsNotHeld(bytes: Int, isAllowed: Bool) async throws {
        let code = try await Self.run { session in
            do {
                try session.stream("select repeat('x', \(bytes)) from generate_series(1, 2)", [], within: .seconds(60))
                {
                    _ in
                } row: { _ in
                }
                return PostgresError.Code?.none
            } catch let error as PostgresError { return error.code }
        }
        #expect(code == (isAllowed ? nil : .rowTooLarge))
    }

    @Test func cancellingTheTaskEndsTheStream() async throws {
        let begun = Mutex(false)
        let task = Task {
            try await Self.run { session in
                let statement = "select pg_sleep(0.05), 'cancelled' from generate_series(1, 100000)"
                try session.stream(statement, [], within: .seconds(600)) { _ in
                    begun.withLock { $0 = true }
                } row: { _ in
                }
            }
        }
        try await wait(for: "the stream to begin") { begun.withLock { $0 } }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        try await Self.expectNone(of: "cancelled")
    }

    @Test func whatTheCallerThrowsEndsTheStream() async throws {
        struct Enough: Error {}
        await #expect(throws: Enough.self) {
            try await Self.run { session in
                try session.stream("select generate_series(1, 2000000000), 'enough'", [], within: .seconds(600)) { _ in
                } row: { _ in
                    throw Enough()
                }
            }
        }
        try await Self.expectNone(of: "enough")
    }

    /// Waits until the server runs no statement with a word any more.
    private static func expectNone(of word: String) async throws {
        try await wait(for: "the statement with \(word) to be gone") {
            try await SharedPostgres.psql(
                """
                select count(*) from pg_stat_activity
                where application_name = 'sheetsync stream test' and query like '%' || '\(word)' || '%'
                """, database: "postgres") == "0"
        }
    }
}

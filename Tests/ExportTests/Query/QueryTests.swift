import Export
import GoogleEmulator
import JSON
import JobQueue
import Postgres
import PostgresServer
import SheetModel
import TestSupport
import Testing

@Suite struct QueryTests {
    @Test func everyTypeArrivesAsWhatItIs() async throws {
        let types = "create type app.letter as enum ('a', 'b'); create domain app.small as int check (value < 9)"
        try await SourceStage.with(sql: types) { source in
            let job = try await source.export(
                """
                select 1::int2 as "a", 2147483647::int4, 9007199254740992::int8, 9007199254740993::int8 as long, -5 as n,
                    0.1::float8 + 0.2, 'NaN'::float8, '-Infinity'::float4, 1e300::float8, 1.5::float4,
                    12.50::numeric, 123456789012345678.9::numeric as dec, 'NaN'::numeric, 1.100000000000000000000::numeric,
                    true, false, date '2026-11-22', date 'infinity' as inf, date '0044-03-15 BC' as bc,
                    timestamp '2026-11-22 12:00', timestamptz '2026-07-01 10:00+00', timestamptz '-infinity' as never,
                    time '06:00:00.5', timetz '06:00+02', interval '1 day 02:00', array[1,null,3], '{"a":[1]}'::jsonb,
                    '\\xdeadbeef'::bytea, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid, int4range(1,5), '=1+1'::text,
                    E'q"\\\\\\n\\t\\u0001é'::text, null::int, ''::text, 'x'::char(3), inet '10.0.0.1',
                    (select 'b'::app.letter), 7::app.small
                """, ["time_zone": "Europe/Berlin"])
            #expect(job.state == "completed", "\(job.json)")
            let values = try #require(source.values(job))
            #expect(
                values[1] == [
                    1, 2_147_483_647, 9_007_199_254_740_992, "9007199254740993", -5, 0.30000000000000004, "NaN",
                    "-Infinity", 1e300, 1.5, 12.5, "123456789012345678.9", "NaN", 1.1, true, false, 46348, "infinity",
                    "0044-03-15 BC", 46348.5, 46204.5, "-infinity", JSON(21600.5 / 86400), "06:00:00+02",
                    "1 day 02:00:00", "{1,NULL,3}", #"{"a": [1]}"#, "\\xdeadbeef",
                    "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "[1,5)", "=1+1", "q\"\\\n\t\u{1}é", nil, nil, "x  ",
                    "10.0.0.1", "b", 7,
                ], "\(values[1] ?? .null)")
            #expect(values[0]?[0] == "a" && values[0]?[4] == "n" && values[0]?[5] == "?column?", "\(values)")
            let warnings = (job.result?["warnings"]?.array ?? []).compactMap(\.string)
            #expect(
                warnings.map { $0.prefix { $0 != ":" } }
                    == ["long", "float8", "float4", "dec", "numeric", "inf", "bc", "never"].map {
                        "sheet \"Sheet1\", column \"\($0)\""
                    }, "\(warnings)"
            )
        }
    }

    @Test func parametersAreBoundAndColumnsGoByPlace() async throws {
        try await SourceStage.with { source in
            let hostile = "'; drop table x; -- $1"
            let job = try await source.export(
                "select $1::text, $2::int, $3::bool, $4::text, $5::jsonb, $6::int[], day from (select date '2026-01-02' as day) d;",
                [
                    "params": [.string(hostile), 42, true, nil, ["a": [1]], "{1,2}"],
                    "columns": [
                        "t", ["name": "n", "type": "text"], "t", "empty", "json", ["name": "l", "type": "text"],
                        ["name": "day", "format": "dd.mm.yyyy"],
                    ],
                ])
            #expect(job.state == "completed", "\(job.json)")
            #expect(
                source.values(job) == [
                    ["t", "n", "t", "empty", "json", "l", "day"],
                    [.string(hostile), "42", true, nil, #"{"a": [1]}"#, "{1,2}", 46024],
                ])
            #expect(job.result?["sheets"]?[0]?["rows"] == 1 && job.result?["cells"] == 14, "\(job.json)")
        }
    }

    @Test func columnsOfThePayloadChangeTheType() async throws {
        try await SourceStage.with { source in
            let job = try await source.export(
                "select '12.5', 3, '2026-01-02', 'https://example.org', '=A1', 0.25, true, date '2026-01-02'",
                [
                    "columns": [
                        ["name": "n", "type": "number"], ["name": "c", "type": "currency", "format": "EUR"],
                        ["name": "d", "type": "date"], ["name": "l", "type": "link"], ["name": "f", "type": "formula"],
                        ["name": "p", "type": "percent"], ["name": "b", "type": "text"],
                        ["name": "dt", "type": "datetime"],
                    ]
                ])
            #expect(job.state == "completed", "\(job.json)")
            #expect(
                source.values(job)?[1] == [
                    12.5, 3, 46024, "https://example.org", ["formula": "=A1"], 0.25, "true", 46024,
                ], "\(source.values(job) ?? .null)")
        }
    }

    @Test func rowsAndQueriesGoTogetherAndADryRunCounts() async throws {
        try await SourceStage.with { source in
            let sheets: JSON = [
                ["name": "A", "columns": ["x"], "rows": [[1]]],
                ["name": "B", "query": "select g, g * 2 as twice from generate_series(1, 3) g"],
                ["name": "C", "query": "select 1 as one where false"],
            ]
            for isDry in [true, false] {
                let job = try await source.stage.export([
                    "title": "Both", "sheets": sheets, "dry_run": .bool(isDry),
                ])
                #expect(job.state == "completed", "\(job.json)")
                #expect(
                    job.result?["sheets"]?.array?.map { [$0["rows"], $0["columns"]] } == [[1, 1], [3, 2], [0, 1]],
                    "\(job.json)")
                if isDry { continue }
                let written = source.stage.spreadsheet(job)?["sheets"]
                #expect(written?[1]?["values"] == [["g", "twice"], [1, 2], [2, 4], [3, 6]], "\(job.json)")
                #expect(written?[2]?["values"]?[0] == ["one"])
            }
            #expect(source.spool.bytesUsed == 0)
        }
    }

    @Test func whatTheUserGotWrongIsSaidOnceAndForGood() async throws {
        let sql = """
            create table app.t(x int); insert into app.t values (1), (0), (7);
            create table app.words(t text); insert into app.words values ('{"name":"cret"}');
            create function app.told(t text) returns text language plpgsql as
                $$ begin raise exception 'no cret %', t; end $$;
            """
        try await SourceStage.with(sql: sql) { source in
            for (query, more, code, message) in [
                ("selekt 1", [:], "query.failed", "query: The source database refused the query: syntax error"),
                ("select 1/x from app.t", [:], "query.failed", "division by zero (SQLSTATE 22012)"),
                ("select 'se' || 'cret'::text::int from app.t", [:], "query.failed", "(SQLSTATE"),
                (#"select t::int from app.words"#, [:], "query.failed", #"integer: "…" (SQLSTATE 22P02)"#),
                ("select t::regclass from app.words", [:], "query.failed", #"relation "…" does not exist"#),
                ("select app.told(t) from app.words", [:], "query.failed", "functions refused it"),
                ("select repeat('x', 140000000)", [:], "query.failed", "a row is too large: it has more than 128 MB"),
                ("select $1::int", [:], "query.failed", "query: "),
                ("select $1::int", ["params": [1, 2]], "query.failed", "query: "),
                ("select * from app.missing", [:], "query.failed", "\"app.missing\" does not exist (SQLSTATE 42P01)"),
                ("select * from sheetsync.job", [:], "query.failed", "permission denied"),
                ("", [:], "query.failed", "gives no rows"),
                ("select 1; select 2", [:], "query.failed", "cannot insert multiple commands"),
                ("select 1, 2", ["columns": ["a"]], "payload.invalid", "query: gives 2 columns, but 1 is named"),
                ("select from app.t", [:], "query.failed", "or rows without columns"),
                (
                    "select 'ok' as a, 1 union all select 'not-said', 2",
                    ["columns": [["name": "When", "type": "date"], "n"]], "payload.invalid",
                    "query: row 1, column \"When\": expected a date such as 2026-11-22, got a string"
                ),
                (
                    "select x as number, repeat('é', 50000 + x) as wide from app.t where x < 1 or x = 7", [:],
                    "payload.invalid",
                    "query: row 2, column \"wide\": a cell holds at most 50,000 characters (UTF-16 units), got 50,007"
                ),
            ] as [(String, JSON, String, String)] {
                let job = try await source.export(query, more)
                #expect(job.state == "discarded" && job.json["attempt"] == 1, "\(query): \(job.json)")
                #expect(job.lastError?.code == code, "\(query): \(job.json)")
                #expect(job.lastError?.message.contains(message) == true, "\(query): \(job.lastError?.message ?? "")")
                for value in ["cret", "not-said"] {
                    #expect(job.lastError?.message.contains(value) == false, "\(job.lastError?.message ?? "")")
                }
            }
            #expect(source.stage.emulator.journal.total == 0)
            #expect(source.spool.bytesUsed == 0)
        }
    }

    @Test func withoutASourceAQueryIsRefused() async throws {
        try await ExportStage.with { stage in
            try await stage.work { _ in
                let job = try await stage.export(["title": "x", "query": "select 1"])
                #expect(job.state == "discarded")
                #expect(job.lastError?.code == "export.no_source", "\(job.json)")
                #expect(job.lastError?.message.contains("SHEETSYNC_SOURCE_DATABASE_URL") == true)
            }
        }
    }

    /// Each producer's queries run as the login that is named for it, the others' as the one for all, if there is one.
    @Test func aProducerMayHaveALoginOfItsOwn() async throws {
        var logins: [String: String] = [:]
        for hasShared in [true, false] {
            try await ExportStage.with(source: { queue in
                for name in ["first", "second", "third", "first_source", "second_source", "shared_source"] {
                    logins[name] = "\(name)_of_\(queue.database)"
                    _ = try await queue.psql("create role \(name)_of_\(queue.database) login")
                    if name.contains("_") { continue }
                    _ = try await queue.psql("grant sheetsync_query to \(name)_of_\(queue.database)")
                }
                func configuration(_ name: String) throws -> ConnectionConfiguration {
                    try SourceStage.configuration(queue, logins[name] ?? "")
                }
                return SourceDatabase(
                    hasShared ? try configuration("shared_source") : nil,
                    ofProducers: [
                        logins["first"] ?? "": try configuration("first_source"),
                        logins["second"] ?? "": try configuration("second_source"),
                    ], queueSchema: "sheetsync", spool: SpoolSpace(directory: "/tmp", limit: 1 << 20))
            }) { stage in
                try await stage.work { _ in
                    for (producer, source) in [
                        ("first", "first_source"), ("second", "second_source"),
                        ("third", hasShared ? "shared_source" : nil),
                    ] {
                        let login = logins[producer] ?? ""
                        let jobs = QueueClient(stage.queue.schema, on: try stage.queue.connection(as: login))
                        // No statement gets another login than its own by it.
                        let query =
                            "select session_user || ' ' || current_user || ' ' || set_config('role', 'none', false)"
                        let job = try await stage.ended(
                            try await jobs.enqueue(kind: "export", payload: ["title": "Q", "query": .string(query)]))
                        guard let source = source.map({ logins[$0] ?? "" }) else {
                            #expect(job.lastError?.code == "export.no_source", "\(job.json)")
                            #expect(job.lastError?.message.contains(login) == true, "\(job.json)")
                            continue
                        }
                        #expect(
                            stage.spreadsheet(job)?["sheets"]?[0]?["values"]?[1] == [
                                .string("\(source) \(source) none")
                            ],
                            "\(job.json)")
                    }
                }
            }
        }
    }

    @Test func aQueryOutOfTimeIsGivenUpOnTheServerToo() async throws {
        try await SourceStage.with(timeout: .seconds(2)) { source in
            for query in [
                "select pg_sleep(100)",
                "select set_config('statement_timeout', '0', true), pg_sleep(100)",
                "select set_config('statement_timeout', '0', false), pg_sleep(1) from generate_series(1, 100)",
            ] {
                let job = try await source.export(query)
                #expect(job.state == "discarded" && job.lastError?.code == "query.timed_out", "\(job.json)")
                try await wait(for: "the session to be gone") { try await !source.isConnected() }
            }
        }
    }

    @Test func aCancelledJobStopsItsQuery() async throws {
        try await SourceStage.with { source in
            let id = try await source.enqueue("select g, pg_sleep(0.01) from generate_series(1, 1000000) g")
            try await wait(
                for: "the query to run", seeing: { try await source.stage.queue.jobs.find(id)?.json.description ?? "" }
            ) {
                try await source.stage.queue.jobs.find(id)?.json["progress"]?["step"] == "querying"
            }
            #expect(try await source.stage.queue.psql("select sheetsync.cancel(\(id))") == "t")
            let job = try await source.stage.ended(id)
            #expect(job.state == "cancelled", "\(job.json)")
            try await wait(for: "the session to be gone") { try await !source.isConnected() }
            #expect(source.spool.bytesUsed == 0)
        }
    }

    @Test func aQueryThatLosesItsServerRunsAgain() async throws {
        try await SourceStage.with(sql: "create sequence app.tries; grant all on app.tries to LOGIN") { source in
            let id = try await source.enqueue(
                "select g, pg_sleep(case when g = 3 then 2 else 0 end) from generate_series(1, 5) g")
            try await wait(for: "the query to run") {
                try await source.stage.queue.psql(
                    """
                    select count(pg_terminate_backend(pid)) from pg_stat_activity
                    where usename = '\(source.login)' and query like '%pg_sleep%'
                    """) != "0"
            }
            let job = try await source.stage.ended(id)
            #expect(job.state == "completed", "\(job.json)")
            #expect(job.json["errors"]?.array?.map { $0["code"] } == ["query.unavailable"], "\(job.json)")
            #expect(source.values(job)?.array?.count == 6)
        }
    }

    @Test func aSourceThatIsAwayIsWaitedFor() async throws {
        try await PostgresServer.run { server in
            let admin = Connection(try ConnectionConfiguration(url: server.url()), label: "test")
            try await admin.script(
                "create role reader login; create table public.t as select 1 as a; grant select on public.t to reader")
            await admin.close()
            let spool = SpoolSpace(directory: "/tmp", limit: 1 << 20)
            try await ExportStage.with(source: { _ in
                SourceDatabase(
                    try ConnectionConfiguration(url: server.url(user: "reader")), queueSchema: "sheetsync", spool: spool
                )
            }) { stage in
                try await stage.work { queue in
                    // The slow one is under way when the server goes.
                    let slow = try #require(
                        Int(
                            try await queue.psql(
                                """
                                select sheetsync.enqueue('export',
                                    '{"title": "s", "query": "select a, pg_sleep(3) from t"}', max_attempts => 100)
                                """)))
                    try await wait(for: "the query to run") {
                        let watcher = Connection(try ConnectionConfiguration(url: server.url()), label: "watcher")
                        defer { Task { await watcher.close() } }
                        return try await watcher.query(
                            "select count(*) as n from pg_stat_activity where usename = 'reader' and query like '%pg_sleep%'"
                        )[0].int("n") > 0
                    }
                    try await server.restart()
                    let job = try await stage.ended(slow)
                    #expect(job.state == "completed", "\(job.json)")
                    #expect(job.json["errors"]?.array?.allSatisfy { $0["code"] == "query.unavailable" } == true)
                    #expect(job.json["errors"]?.array?.isEmpty == false, "\(job.json)")
                }
            }
        }
    }
}

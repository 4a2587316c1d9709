import JSON
import Postgres
import TestSupport
import Testing

@testable import JobQueue

@Suite struct EnqueueTests {
    @Test func aRolledBackTransactionMakesNoJob() async throws {
        let queue = try await TestQueue.make()
        _ = try await queue.psql("begin; select sheetsync.enqueue('noop', '{}'); rollback")
        #expect(try await queue.psql("select count(*) from sheetsync.jobs") == "0")
        _ = try await queue.psql("begin; select sheetsync.enqueue('noop', '{}'); commit")
        #expect(
            try await queue.psql("select kind, state, attempt, max_attempts, errors from sheetsync.jobs")
                == "noop|available|0|10|[]")
    }

    @Test func takesNamedArguments() async throws {
        let queue = try await TestQueue.make()
        _ = try await queue.psql(
            """
            select sheetsync.enqueue('noop', '{"a":1}', priority => 2, owner => 'sales', max_attempts => 3,
                run_at => now() + interval '1 hour', idempotency_key => 'k1')
            """)
        #expect(
            try await queue.psql(
                "select state, priority, owner, max_attempts, idempotency_key, payload from sheetsync.jobs")
                == #"scheduled|2|sales|3|k1|{"a": 1}"#)
    }

    @Test func theSameKeyGivesTheFirstJobUnlessThePayloadDiffers() async throws {
        let queue = try await TestQueue.make()
        let first = try await queue.jobs.enqueue(kind: "noop", payload: ["a": 1], idempotencyKey: "k")
        #expect(try await queue.jobs.enqueue(kind: "noop", payload: ["a": 1], idempotencyKey: "k") == first)
        let error = await #expect(throws: PostgresError.self) {
            try await queue.jobs.enqueue(kind: "noop", payload: ["a": 2], idempotencyKey: "k")
        }
        #expect(error?.sqlState == "22023")
        #expect(error?.message.contains("job \(first)") == true)
    }

    /// The digest is of the payload's value, which may be written in several ways.
    @Test func theSameValueWrittenOtherwiseIsTheSamePayload() async throws {
        let queue = try await TestQueue.make()
        for (one, other) in [
            (#"{"a": 1.0, "b": [100]}"#, #"{"b": [1e2], "a": 1.00}"#), (#"{"a": "ä"}"#, #"{"a": "\u00e4"}"#),
        ] {
            let ids = try await queue.psql(
                """
                select sheetsync.enqueue('noop', '\(one)', idempotency_key => '\(one)')
                     = sheetsync.enqueue('noop', '\(other)', idempotency_key => '\(one)')
                """)
            #expect(ids == "t", "\(one)")
        }
    }

    /// The hash of a value says nothing of where its lists begin and end.
    @Test func anotherStructureIsAnotherPayload() async throws {
        let queue = try await TestQueue.make()
        for (one, other) in [
            (#"{"a": [[1], 2]}"#, #"{"a": [[1, 2]]}"#), (#"{"rows": [[1], [], []]}"#, #"{"rows": [[1]]}"#),
            (#"{"a": "1"}"#, #"{"a": 1}"#), (#"{"a": "10"}"#, #"{"a": "01"}"#),
        ] {
            _ = try await queue.psql("select sheetsync.enqueue('noop', '\(one)', idempotency_key => '\(one)')")
            let error = await #expect(throws: PsqlFailure.self) {
                try await queue.psql("select sheetsync.enqueue('noop', '\(other)', idempotency_key => '\(one)')")
            }
            #expect(error?.description.contains("has another kind or payload") == true, "\(one)")
        }
    }

    /// A plain insert is never refused; nor is enqueue, because it reads nothing that other producers write.
    @Test func producersThatAreSerializableDoNotConflict() async throws {
        let queue = try await TestQueue.make()
        _ = try await queue.psql(
            "create table public.plain (id bigint generated always as identity primary key, body jsonb)")
        let configuration = try queue.configuration()
        func refusals(of statement: String) async throws -> Int {
            try await withThrowingTaskGroup(of: Int.self) { group in
                for client in 0..<8 {
                    group.addTask {
                        let connection = Connection(configuration, label: "producer \(client)")
                        var refused = 0
                        for _ in 0..<50 {
                            do throws(PostgresError) {
                                try await connection.script("begin isolation level serializable; \(statement); commit")
                            } catch {
                                guard error.sqlState == "40001" else { throw error }
                                refused += 1
                                try await connection.script("rollback")
                            }
                        }
                        return refused
                    }
                }
                return try await group.reduce(0, +)
            }
        }
        #expect(try await refusals(of: "insert into public.plain (body) values ('{}')") == 0)
        #expect(try await refusals(of: "select sheetsync.enqueue('noop', '{}', owner => 'a')") == 0)
        #expect(try await refusals(of: "select sheetsync.enqueue('write', '{\"file\":\"s\"}', 'k' || random())") == 0)
        #expect(try await queue.inspector.count(.ready) == 800)
    }

    @Test func manyProducersWithOneKeyMakeOneJob() async throws {
        let queue = try await TestQueue.make()
        let configuration = try queue.configuration()
        let ids = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let jobs = QueueClient(queue.schema, on: Connection(configuration, label: "test"))
                    return try await jobs.enqueue(kind: "noop", payload: [:], idempotencyKey: "same")
                }
            }
            return try await group.reduce(into: Set<Int>()) { $0.insert($1) }
        }
        #expect(ids.count == 1)
        #expect(try await queue.psql("select count(*) from sheetsync.jobs") == "1")
    }

    @Test(arguments: [
        ("'exprot', '{}'", "unknown kind of job: 'exprot'"),
        ("null, '{}'", "unknown kind of job: null"),
        ("'noop', '[1]'", "the payload must be a JSON object, not array"),
        ("'noop', null", "the payload must be a JSON object, not null"),
        ("'noop', '{}', priority => 10", "the priority must be from 0 (first) to 9 (last), not 10"),
        ("'noop', '{}', priority => -1", "the priority must be from 0 (first) to 9 (last), not -1"),
        ("'noop', '{}', max_attempts => 0", "max_attempts must be from 1 to 100, not 0"),
        ("'noop', '{}', run_at => 'infinity'", "run_at must be a point in time, not infinity"),
        ("'noop', '{}', idempotency_key => ''", "idempotency_key must have from 1 to 200 characters, not 0"),
        ("'noop', '{}', owner => repeat('x', 201)", "owner must be a text of at most 200 characters"),
        ("'noop', '{}', owner => E'a\\u001b[2Jb'", "owner and idempotency_key must not contain control characters"),
        (
            "'noop', '{}', idempotency_key => U&'a\\202E'",
            "owner and idempotency_key must not contain control characters"
        ),
        (
            "'noop', jsonb_build_object('a', repeat('x', 5242880))",
            "the payload has 5242889 bytes, more than the limit of 5242880"
        ),
    ])
    func refuses(arguments: String, message: String) async throws {
        let queue = try await TestQueue.make()
        let error = await #expect(throws: PostgresError.self) {
            try await queue.connection.query(Query(stringLiteral: "select sheetsync.enqueue(\(arguments))"))
        }
        #expect(error?.sqlState == "22023")
        #expect(error?.message == message)
        #expect(try await queue.psql("select count(*) from sheetsync.jobs") == "0")
    }

    @Test func enqueuesManyAtOnce() async throws {
        let queue = try await TestQueue.make()
        let made = try await queue.psql(
            """
            select ordinality, created from sheetsync.enqueue_many('[
                {"kind":"noop","payload":{"n":1},"idempotency_key":"z"}, {"kind":"noop","payload":{"n":2}},
                {"kind":"noop","payload":{"n":1},"idempotency_key":"z"}, {"kind":"write","payload":{},"priority":1}]')
            order by ordinality
            """)
        #expect(made == "1|t\n2|t\n3|f\n4|t")
        for (jobs, message) in [
            (#"{}"#, "jobs must be a JSON array"),
            (
                #"[{"kind":"noop","payload":{}},{"kind":"noop","payload":{},"prio":1}]"#,
                "jobs[1]: the field 'prio' is unknown"
            ),
            (#"[{"kind":"noop","payload":{}},{"kind":"nope","payload":{}}]"#, "jobs[1]: unknown kind of job: 'nope'"),
            (#"[{"kind":"noop","payload":{},"priority":"high"}]"#, "jobs[0]: invalid input syntax"),
            (#"[3]"#, "jobs[0]: it must be a JSON object, not number"),
            (#"[null]"#, "jobs[0]: it must be a JSON object, not null"),
            (#"[{"kind":"noop","payload":null}]"#, "jobs[0]: the payload must be a JSON object, not null"),
            (#"[{"kind":null,"payload":{}}]"#, "jobs[0]: unknown kind of job: null"),
            (#"[{"kind":"noop","payload":{},"priority":1.5}]"#, "jobs[0]: invalid input syntax"),
            (
                #"[{"kind":"noop","payload":{},"priority":99999999999}]"#,
                "jobs[0]: value \"99999999999\" is out of range"
            ),
            (#"[{"kind":"noop","payload":{},"run_at":"-infinity"}]"#, "jobs[0]: run_at must be a point in time"),
            (#"[{"kind":"noop","payload":{},"run_at":"2026-13-45"}]"#, "jobs[0]: date/time field value out of range"),
            (#"[{"kind":"noop","payload":{},"owner":["a"]}]"#, "jobs[0]: the field 'owner' must be a text or a number"),
        ] {
            let error = await #expect(throws: PostgresError.self) {
                try await queue.connection.query("select * from sheetsync.enqueue_many(\(jobs)::jsonb)")
            }
            #expect(error?.sqlState == "22023")
            #expect(error?.message.hasPrefix(message) == true)
        }
        #expect(try await queue.psql("select count(*) from sheetsync.jobs") == "3")
        // A field that is null is one that is not given.
        _ = try await queue.psql(
            """
            select * from sheetsync.enqueue_many('[{"kind":"noop","payload":{"last":1},"priority":null,"owner":null,
                "max_attempts":null,"run_at":null,"idempotency_key":null}]')
            """)
        #expect(
            try await queue.psql(
                "select priority, owner, max_attempts, state, idempotency_key is null from sheetsync.jobs where payload ? 'last'"
            )
                == "5||10|available|t")
    }

    @Test func aTimeInThePastDoesNotPassTheJobsThatWait() async throws {
        let queue = try await TestQueue.make()
        let first = try await queue.jobs.enqueue(kind: "noop", payload: [:])
        _ = try await queue.psql("select sheetsync.enqueue('noop', '{}', run_at => '0044-03-15 BC')")
        _ = try await queue.psql("select sheetsync.enqueue('noop', '{}', run_at => '294276-12-31')")
        let worker = WorkerStatements(on: queue.connection)
        try await worker.register(name: "test", version: "0", concurrency: 4)
        #expect(try await worker.claim(1).map(\.id) == [first])
        #expect(try await QueueReport.read(queue.schema, on: queue.connection).scheduled == 1)
    }
}

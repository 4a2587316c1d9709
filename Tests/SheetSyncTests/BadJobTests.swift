import JSON
import JobQueue
import TestSupport
import Testing

/// Jobs that cannot be done: refused by `enqueue` where SQL can know, else discarded on the first attempt.
@Suite(.serialized) struct BadJobTests {
    /// Bad payloads of a kind, and the path that their error must begin with.
    private static let bad: [(kind: String, payload: JSON, path: String)] = [
        ("export", ["title": "t", "rows": [], "titel": "x"], "titel: unknown field"),
        (
            "export",
            [
                "title": "t",
                "sheets": [["name": "s", "columns": ["a", "b", ["name": "c", "tpye": "text"]], "rows": []]],
            ],
            "sheets[0].columns[2].tpye: unknown field"
        ),
        ("export", ["rows": []], "title: "),
        ("export", ["title": 5, "rows": []], "title: expected a string"),
        ("export", ["title": "t", "rows": "none"], "rows: expected an array"),
        ("export", ["title": "t", "rows": [[1], 2]], "rows[1]: expected an array"),
        ("export", ["title": "t", "columns": ["a"], "rows": [[1, 2]]], "rows[0]"),
        ("export", ["title": "t", "columns": [["name": "a", "type": "colour"]], "rows": []], "columns[0].type: "),
        ("export", ["title": "t", "rows": [], "folder": 7], "folder: "),
        ("export", ["title": "t", "rows": [], "time_zone": "Mars/Base"], "time_zone: "),
        ("folder", ["paht": "a"], "paht: unknown field"),
        ("noop", ["sleep_ms": "long"], "sleep_ms: expected a whole number"),
    ]

    @Test func badJobsAreDiscardedAtOnceAndTheOthersGoOn() async throws {
        try await Stage.with { stage in
            _ = try await stage.queue.psql("insert into sheetsync.kind (name) values ('future')")
            let daemon = stage.daemon.with(["MAX_CONTENT_SIZE_MB": "1", "LOG_FORMAT": "json"])
            let ended = try await daemon.withDaemon { daemon in
                var good: [Int] = []
                var discarded: [(id: Int, path: String)] = []
                for bad in Self.bad {
                    discarded.append((try await stage.enqueue(bad.kind, bad.payload), bad.path))
                    good.append(try await stage.enqueue("noop", [:]))
                }
                // The first in the queue, and of a kind that only a later version knows.
                let future = try await stage.enqueue("future", [:], ", priority => 0")
                for (id, path) in discarded {
                    let job = try await stage.ended(id)
                    #expect(job.state == "discarded" && job.attempt == 1, "\(job.json)")
                    #expect(job.errorMessages.count == 1 && job.errorMessages[0].hasPrefix(path), "\(job.json)")
                    #expect(job.errorCodes.allSatisfy { $0.hasPrefix("payload.") }, "\(job.json)")
                    #expect(job.json["errors"]?[0]?["retryable"] == false)
                }
                for id in good { #expect(try await stage.ended(id).state == "completed") }
                let left = try await stage.job(future)
                #expect(left.state == "available" && left.attempt == 0, "\(left.json)")
                #expect(daemon.isAlive && stage.spreadsheets == [])
                try await expectRefusalsBySQL(stage)
            }
            // The log is for a collector: every line is one JSON object, and tells of each failure.
            let log = try ended.errors.split(separator: "\n").map { try JSON(parsing: String($0)) }
            #expect(log.allSatisfy { $0["time"]?.string != nil && $0["message"]?.string != nil }, "\(ended)")
            #expect(
                log.filter { $0["level"] == "warning" && $0["code"] != nil }.count == Self.bad.count, "\(ended)")
        }
    }

    /// With the daemon's own limit of 1 MB, which it writes to the database when it starts.
    private func expectRefusalsBySQL(_ stage: Stage) async throws {
        let large = String(repeating: "x", count: 1_048_576)
        for (sql, words) in [
            ("select sheetsync.enqueue('export', '[1]')", "the payload must be a JSON object, not array"),
            ("select sheetsync.enqueue('export', 'null')", "the payload must be a JSON object, not null"),
            ("select sheetsync.enqueue('exprot', '{}')", "unknown kind of job: 'exprot'"),
            ("select sheetsync.enqueue('export', '{\"title\": \"\(large)\"}')", "more than the limit of 1048576"),
        ] {
            let error = await #expect(throws: PsqlFailure.self) {
                try await stage.queue.psql(sql, as: stage.name(.producer))
            }
            #expect(error?.description.contains(words) == true, "\(error?.description.prefix(300) ?? "nothing")")
        }
    }
}

import Foundation
import JSON
import JobQueue
import TestSupport
import Testing

/// `sheetsync enqueue`, as a person or a script uses it.
@Suite struct EnqueueCommandTests {
    @Test func jobsAreEnqueuedAndWaitedFor() async throws {
        try await Stage.with { stage in
            let producer = stage.program(.producer)
            let csv = try stage.directory.write("id,name\n1,Zoë\n2,\"a, b\"\n", to: "orders.csv")
            let payload = try stage.directory.write(export("From a file").description, to: "payload.json")
            try await stage.daemon.withDaemon { _ in
                let exported = try await producer(
                    "enqueue", "--csv", csv, "--title", "From CSV", "--folder", "Team/2026", "--wait"
                ).expect(0)
                let job = try #require(try await stage.queue.jobs.list().first)
                // Exactly the address, so that a script can take it as it is.
                #expect(exported.line == job.result?["spreadsheet_url"]?.string, "\(exported)")
                #expect(stage.values(job) == [["id", "name"], [1, "Zoë"], [2, "a, b"]])
                #expect(job.result?["folder_id"]?.string?.isEmpty == false)

                let fromFile = try await producer("enqueue", "export", "--payload", payload, "--wait").expect(0)
                #expect(fromFile.line.hasPrefix("http") && !fromFile.line.contains("\n"), "\(fromFile)")
                let piped = try await producer(
                    "enqueue", "--payload", "-", "--wait", "--json", input: export("From a pipe").description
                ).expect(0)
                let document = try JSON(parsing: piped.output)
                #expect(document["schema"] == 1 && document["job"]?["state"] == "completed", "\(piped)")
                #expect(stage.spreadsheets.sorted() == ["From CSV", "From a file", "From a pipe"])

                let folder = try await producer(
                    "enqueue", "folder", "--payload", "-", "--wait", input: #"{"path": "Team/2026"}"#
                ).expect(0)
                #expect(folder.line == job.result?["folder_url"]?.string, "\(folder)")

                let bad = try await producer(
                    "enqueue", "export", "--payload", "-", "--wait", input: #"{"titel": "x"}"#
                ).expect(1)
                #expect(bad.output.isEmpty, "\(bad)")
                #expect(bad.errors.contains("is discarded: payload.invalid: titel: unknown field"), "\(bad)")
            }
        }
    }

    @Test func whoeverWaitsForAJobThatDoesNotBeginIsToldWhy() async throws {
        try await Stage.with { stage in
            let words = "(noop, available) waits for a worker, and none is alive: start `sheetsync run`"
            let ended = try await stage.program(.producer).launch(["enqueue", "noop", "--wait"]) { running in
                try await running.expectToSay(words, within: .seconds(60))
                let id = try #require(try await stage.queue.jobs.list().first?.id)
                // Long enough to be told a second time, if it were.
                try await Task.sleep(for: .seconds(1))
                _ = try await stage.queue.psql("select sheetsync.cancel(\(id))")
                try await running.waitForEnd(within: .seconds(30))
            }
            ended.expect(1)
            #expect(ended.errors.components(separatedBy: words).count == 2 && ended.output.isEmpty, "\(ended)")
        }
    }

    @Test func aFileOfSemicolonsAndTypesBecomesAPayload() async throws {
        try await Stage.with { stage in
            let program = stage.program(.producer)
            let csv = try stage.directory.write("id;price;open;at=\n007;1,50;0;26:30:00\n", to: "german.csv")
            let numbers = try await program(
                "enqueue", "--csv", csv, "--title", "T", "--type", "open=boolean", "--type", "at==time"
            ).expect(0)
            func payload(_ id: String) async throws -> JSON? {
                let job = try await stage.queue.jobs.text(of: try #require(Int(id)))
                return try JSON(parsing: try #require(job))["payload"]
            }
            let german = try await payload(numbers.line)
            #expect(
                german?["columns"]?.array?.map { $0["type"] } == ["text", "number", "boolean", "time"],
                "\(String(describing: german))")
            #expect(german?["rows"]?.description == #"[["007",1.50,"0","26:30:00"]]"#, "\(String(describing: german))")

            let piped = try await program(
                "enqueue", "--csv", "-", "--title", "T", "--delimiter", "tab", input: "a;b\tc,d\n1\t2\n"
            ).expect(0)
            let tabs = try await payload(piped.line)
            #expect(tabs?["rows"] == [[1, 2]], "\(String(describing: tabs))")

            for (arguments, words) in [
                (["--csv", csv, "--title", "T", "--delimiter", "ab"], "--delimiter takes comma, semicolon, tab"),
                (["--csv", csv, "--title", "T", "--type", "price"], "--type takes COLUMN=TYPE"),
                (["--csv", csv, "--title", "T", "--type", "price=nubmer"], "number, integer"),
                (["--payload", "-", "--type", "price=number"], "go with --csv"),
            ] {
                let refused = try await program.run(["enqueue"] + arguments).expect(64)
                #expect(refused.errors.contains(words), "\(refused)")
            }
            try await program("enqueue", "--csv", csv, "--title", "T", "--type", "prize=number")
                .expectRefusal(1, "german.csv: the CSV has no column \"prize\"")
            try await program("enqueue", "--csv", "-", "--title", "T", input: "a,b\n1,x\0y\n")
                .expectRefusal(1, "standard input: line 2 of the CSV has a NUL in field 2")
            try await program(
                "enqueue", "--payload", "-", input: #"{"title": "x", "sheets": [{"name": "S", "rows": [["a\u0000"]]}]}"#
            ).expectRefusal(1, "standard input: sheets[0].rows[0][0] has a NUL", "take it out")
        }
    }

    @Test func theSameKeyGivesTheSameJob() async throws {
        try await Stage.with { stage in
            let program = stage.program(.producer)
            let first = try await program("enqueue", "noop", "--idempotency-key", "k1").expect(0)
            let second = try await program("enqueue", "noop", "--idempotency-key", "k1").expect(0)
            #expect(Int(first.line) != nil && first.line == second.line)
            let other = try await program(
                "enqueue", "noop", "--payload", "-", "--idempotency-key", "k1", input: #"{"sleep_ms": 0}"#)
            other.expectRefusal(1, "job \(first.line)", "another kind or payload")
            #expect(try await stage.queue.psql("select count(*) from sheetsync.jobs") == "1")

            let urgent = try await program("enqueue", "noop", "--priority", "0", "--owner", "nightly").expect(0)
            let job = try await stage.job(try #require(Int(urgent.line)))
            #expect(job.json["priority"] == 0 && job.json["owner"] == "nightly")
            try await program("enqueue", "noop", "--priority", "10").expectRefusal(1, "priority", "0", "9")
            try await program("enqueue", "exprot", "--payload", "-", input: "{}")
                .expectRefusal(1, "'exprot'", "The kinds are export, folder, format, noop.")
            let query = try await program(
                "enqueue", "--payload", "-", input: #"{"title": "x", "sheets": [{"query": "select 1"}]}"#)
            query.expectRefusal(
                1, "\(stage.name(.producer)) may not enqueue this payload: only members of sheetsync_query may",
                "grant sheetsync_query to \(stage.name(.producer))")
            #expect(!query.errors.contains("Grant this login"), "\(query)")
            let numbered = try await program("enqueue", "noop", "--json").expect(0)
            let number = try JSON(parsing: numbered.output)
            #expect(number["schema"] == 1 && number["id"]?.int.map { $0 > 0 } == true, "\(numbered)")
            try await program("enqueue", "noop", "--payload", "-", input: "[]").expectRefusal(1, "JSON object", "array")
        }
    }

    @Test func filesThatCannotBeReadAreNamed() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let program = Program(environment: ["DATABASE_URL": "postgresql://127.0.0.1:1/app"])
        let json = try directory.write("{\"title\": \"t\",\n \"rows\": [}", to: "bad.json")
        try await program("enqueue", "--payload", json).expectRefusal(1, json, "byte 25")
        try await program("enqueue", "--payload", "-", input: "").expectRefusal(1, "standard input")
        let csv = try directory.write("a,b\n1,2\n3,\"4\n", to: "bad.csv")
        try await program("enqueue", "--csv", csv, "--title", "t").expectRefusal(1, csv, "line 3")
        let wide = try directory.write("a,b\n1,2\n1,2,3\n", to: "wide.csv")
        try await program("enqueue", "--csv", wide, "--title", "t").expectRefusal(1, wide, "line 3")
        try await program("enqueue", "--csv", "/nowhere.csv", "--title", "t").expectRefusal(
            1, "/nowhere.csv cannot be read: No such file or directory")
        try await program("enqueue", "--payload", directory.path).expectRefusal(
            1, "\(directory.path) cannot be read: Is a directory")
        try await program("enqueue", "--csv", "-", "--title", "t", input: "a,b\n1,\"2\n").expectRefusal(
            1, "standard input: ", "line 2")
    }

    @Test(arguments: [
        ["enqueue"], ["enqueue", "export"], ["enqueue", "--csv", "a.csv"],
        ["enqueue", "--csv", "a.csv", "--payload", "b.json"], ["enqueue", "noop", "--csv", "a.csv", "--title", "t"],
        ["enqueue", "--payload", "a.json", "--title", "t"], ["enqueue", "noop", "--priority", "high"],
        ["enqueue", "noop", "--colour"], ["jobs", "show"], ["jobs", "show", "first"], ["jobs", "retry"],
        ["jobs", "list", "--state", "done"], ["emulator"], ["emulator", "--dir", "/tmp", "--port", "x"],
        ["migrate", "now"], ["status", "--yaml"], ["fly"],
    ])
    func wrongUsageEndsWith64(_ command: [String]) async throws {
        let ended = try await Program().run(command).expect(64)
        #expect(ended.output.isEmpty && ended.errors.hasPrefix("Error: "), "\(ended)")
    }

    @Test(arguments: ["", "run", "migrate", "enqueue", "status", "jobs", "jobs list", "emulator", "demo"])
    func helpIsOnStandardOutput(_ command: String) async throws {
        let ended = try await Program().run(command.split(separator: " ").map(String.init) + ["--help"]).expect(0)
        #expect(ended.output.contains("USAGE: sheetsync \(command)") && ended.errors.isEmpty, "\(ended)")
    }
}

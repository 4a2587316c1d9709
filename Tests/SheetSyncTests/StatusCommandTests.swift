import JSON
import JobQueue
import TestSupport
import Testing

@testable import sheetsync

/// `sheetsync status` and `sheetsync jobs`, as an operator uses them.
@Suite struct StatusCommandTests {
    @Test func theVerdictFollowsTheQueue() async throws {
        try await Stage.with { stage in
            let status = stage.program(.operator)
            let idle = try await status("status").expect(1)
            #expect(
                idle.output.hasPrefix("DEGRADED: no worker is alive: start `sheetsync run`; where it ends again, "),
                "\(idle)")

            let first = try await stage.enqueue("noop", [:])
            let backlog = try await status("status").expect(2)
            #expect(backlog.output.hasPrefix("DOWN: no worker is alive, and 1 job wait"), "\(backlog)")

            try await stage.daemon.withDaemon { _ in
                _ = try await stage.ended(first)
                let fine = try await status("status").expect(0)
                #expect(fine.output.hasPrefix("OK: 1 worker alive, nothing waits\n"), "\(fine)")
                #expect(fine.errors.isEmpty && !fine.output.contains("\u{1B}"), "\(fine)")
                let json = try JSON(parsing: try await status("status", "--json").expect(0).output)
                #expect(json["schema"] == 1 && json["verdict"] == "OK", "\(json)")
                #expect(json["reason"] == "1 worker alive, nothing waits", "\(json)")
                #expect(json["queue"]?["completed_last_minute"] == 1 && json["workers"]?.array?.count == 1, "\(json)")
                #expect(json["workers"]?[0]?["problem"] == JSON.null, "\(json)")

                #expect(try await stage.ended(try await stage.enqueue("export", export("x"))).state == "completed")
                var identity = JSON.null
                try await wait(for: "the identity", seeing: { "\(identity)" }) {
                    let json = try JSON(parsing: try await status("status", "--json").expect(0).output)
                    identity = json["identities"]?[0] ?? JSON.null
                    return identity["token_expires_in_seconds"]?.isNull == false
                        && identity["quotas"]?.array?.isEmpty == false
                }
                let account = identity["account"]?.string ?? ""
                #expect(account.contains("@") && identity["open_breakers"] == [], "\(identity)")
                #expect((1...3600).contains(identity["token_expires_in_seconds"]?.double ?? 0), "\(identity)")
                let table = try await status("status").expect(0).output
                let row = table.split(separator: "\n").first { $0.hasSuffix(account) && $0.contains("ends in ") } ?? ""
                #expect(
                    row.hasPrefix("ends in ") && row.contains(" writes") && row.contains("  closed  "), "\(table)")

                _ = try await stage.ended(try await stage.enqueue("noop", ["sleep_ms": -1]))
                let refused = try await status("status").expect(0)
                #expect(refused.output.hasPrefix("OK: "), "\(refused)")
                _ = try await stage.ended(
                    try await stage.enqueue("export", ["spreadsheet_id": "1Gone", "rows": [[1]]]))
                let degraded = try await status("status").expect(1)
                #expect(
                    degraded.output.hasPrefix(
                        "DEGRADED: 2 jobs discarded in the last hour, most often for google.not_found: "),
                    "\(degraded)")
            }
            let gone = try JSON(parsing: try await status("status", "--json").expect(1).output)
            #expect(gone["verdict"] == "DEGRADED" && gone["workers"] == [], "\(gone)")
        }
    }

    @Test(arguments: [40, 80, 200]) func aTableFitsIntoATerminal(width: Int) {
        var table = Table("WORKER", "JOBS", "LAST ERROR")
        table.add(String(repeating: "w", count: 60), "3/16", String(repeating: "e", count: 90))
        table.add("short", "0/1", "-")
        let lines = table.lines(width: width)
        #expect(lines.count == 3 && lines.allSatisfy { $0.count <= width }, "\(lines)")
        let cut = lines[1].filter { $0 == "…" }.count
        #expect(cut == (width < 170 ? 2 : 0), "both wide columns are cut alike: \(lines[1])")
        #expect(table.lines(width: nil)[1].count == 60 + 2 + 4 + 2 + 90)
    }

    @Test func aDatabaseThatIsDownIsAFinding() async throws {
        let program = Program(environment: ["DATABASE_URL": "postgresql://operator@127.0.0.1:1/app"])
        let ended = try await program("status", "--json").expect(2)
        let json = try JSON(parsing: ended.output)
        #expect(json["schema"] == 1 && json["verdict"] == "DOWN" && ended.errors.isEmpty, "\(ended)")
        #expect(json["reason"]?.string?.contains("cannot connect to the database") == true, "\(ended)")
    }

    /// Four jobs of a minute fill the slots; whoever asks hears whose they are.
    @Test func whoFillsTheSlotsIsNamed() async throws {
        try await Stage.with { stage in
            let heavy = "heavy_of_\(stage.queue.database)"
            _ = try await stage.queue.psql(
                "create role \(heavy) login; grant sheetsync_producer, sheetsync_operator to \(heavy)")
            try await stage.daemon.withDaemon { _ in
                _ = try await stage.queue.psql(
                    #"select count(sheetsync.enqueue('noop', '{"sleep_ms": 60000}')) from generate_series(1, 6)"#,
                    as: heavy)
                try await wait(for: "the slots to be taken") { try await stage.queue.inspector.count(.lease) == 4 }
                let waiting = try await stage.enqueue("noop", [:])
                let words = "4 of 4 slots run jobs of the login \(heavy)"
                let status = try await stage.program(.operator)("status").expect(0)
                #expect(
                    status.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
                        .hasPrefix("OK: 4 running, 3 jobs waiting; \(words)"), "\(status)")
                let json = try JSON(parsing: try await stage.program(.operator)("status", "--json").expect(0).output)
                #expect(
                    json["logins"]?[0]?["login"] == .string(heavy) && json["logins"]?[0]?["running"] == 4, "\(json)")
                let why = try await stage.program(.operator)("why", "\(waiting)").expect(0)
                #expect(
                    why.output.split(whereSeparator: \.isWhitespace).joined(separator: " ").contains(words), "\(why)")
                let own = try await stage.program(.producer)("why", "\(waiting)").expect(0)
                let said = own.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
                #expect(said.contains("4 of 4 slots run jobs of other logins") && !said.contains("heavy"), "\(own)")

                _ = try await stage.queue.psql("select sheetsync.limit_login('\(heavy)', slots => 2)")
                let limited = try await stage.program(.operator)("status").expect(0)
                #expect(limited.output.contains("MAY RUN"), "\(limited)")
                _ = try await stage.queue.psql("select sheetsync.cancel(id) from sheetsync.jobs where kind = 'noop'")
            }
        }
    }

    /// Postgres takes lists within lists deeper than this program reads.
    @Test func aPayloadOfAnyDepthIsShownAndReadOnlyWhereItIsShown() async throws {
        try await Stage.with { stage in
            let deep = String(repeating: "[", count: 1_000) + String(repeating: "]", count: 1_000)
            let id = try await stage.enqueue("export", text: #"{"title": \#(deep)}"#)
            let program = stage.program(.producer)
            for command in [["why", "\(id)"], ["jobs", "show", "\(id)"], ["jobs", "list"]] {
                let said = try await program.run(command).expect(0)
                #expect(!said.output.contains("[["), "\(said)")
            }
            let document = try await program("jobs", "show", "\(id)", "--json").expect(0).line
            #expect(document.hasPrefix(#"{"schema":1,"job":{"id": \#(id), "#) && document.hasSuffix("}}"))
            #expect(document.contains(deep))
        }
    }

    @Test func jobsAreListedShownRetriedAndCancelled() async throws {
        try await Stage.with { stage in
            let jobs = stage.program(.operator)
            let bad = try await stage.enqueue("noop", ["sleep_ms": "x"], ", owner => 'nightly'")
            try await stage.daemon.withDaemon { _ in
                _ = try await stage.ended(bad)
                let long = try await stage.enqueue("noop", ["sleep_ms": 60_000])
                try await stage.queue.expect(long, "running")
                try await jobs("jobs", "cancel", "\(long)").expect(0)
                let job = try await stage.ended(long, within: .seconds(15))
                #expect(job.state == "cancelled" && job.errorCodes == [], "\(job.json)")
            }
            let later = try await stage.enqueue("noop", [:], ", run_at => now() + interval '1 day'")

            let list = try await jobs("jobs", "list").expect(0)
            let lines = list.output.split(separator: "\n")
            try #require(lines.count == 4 && lines[0].hasPrefix("ID  KIND"), "\(list)")
            #expect(lines[1].hasPrefix("\(later)") && lines[1].contains("scheduled"), "the newest first: \(list)")
            #expect(lines[3].contains("nightly") && lines[3].contains("payload.invalid: sleep_ms"), "\(list)")
            let filtered = try JSON(
                parsing: try await jobs("jobs", "list", "--json", "--state", "discarded", "--kind", "noop").output)
            #expect(filtered["schema"] == 1 && filtered["jobs"]?.array?.compactMap { $0["id"]?.int } == [bad])
            #expect(
                try JSON(parsing: try await jobs("jobs", "list", "--json", "--kind", "export").output)["jobs"] == [])

            let shown = try await jobs("jobs", "show", "\(bad)").expect(0)
            for part in ["id: \(bad)", "state: discarded", "owner: nightly", "payload.invalid (attempt 1, "] {
                #expect(shown.output.contains(part), "lacks \(part): \(shown)")
            }
            let json = try JSON(parsing: try await jobs("jobs", "show", "\(bad)", "--json").expect(0).output)
            #expect(json["schema"] == 1 && json["job"]?["payload"] == ["sleep_ms": "x"], "\(json)")

            let cancelled = try await jobs("jobs", "cancel", "\(later)").expect(0)
            #expect(cancelled.line == "job \(later) is cancelled, or asked to stop")
            #expect(try await stage.job(later).state == "cancelled")
            try await jobs("jobs", "cancel", "\(later)").expectRefusal(1, "job \(later) has ended already")
            let retried = try await jobs("jobs", "retry", "\(bad)", "\(later)").expect(0)
            #expect(retried.output == "job \(bad) is available again\njob \(later) is available again\n")
            #expect(try await stage.job(bad).state == "available")
            try await jobs("jobs", "retry", "\(bad)").expectRefusal(1, "job \(bad) is neither discarded nor cancelled")
            try await jobs("jobs", "cancel", "999999").expectRefusal(
                1, "there is no job 999999 that this login may see")

            for command in ["show", "retry", "cancel"] {
                try await jobs("jobs", command, "987654").expectRefusal(1, "no job 987654")
            }
        }
    }
}

import Foundation
import GoogleEmulator
import HTTP
import HTTPTypes
import JSON
import JobQueue
import Synchronization
import TestSupport
import Testing

@testable import sheetsync

/// The pages for monitors, asked for as a monitor does it.
///
/// One after another, because a raw connection blocks a thread of the few that all tests share while it waits.
@Suite(.serialized) struct OperatorPagesTests {
    private struct Page: CustomStringConvertible {
        let status: Int
        let type: String
        let body: String

        var description: String { "\(status) \(type)\n\(body)" }

        func value(_ sample: String) -> Double? {
            body.split(separator: "\n").first { $0.hasPrefix(sample + " ") }
                .flatMap { Double($0.dropFirst(sample.count + 1)) }
        }
    }

    private func port(_ daemon: RunningProgram) async throws -> Int {
        try await daemon.expectToSay("worker is ready")
        let line = try #require(daemon.errors.firstMatch(of: /health and metrics are at http:\/\/127.0.0.1:([0-9]+)/))
        return try #require(Int(line.1))
    }

    private func get(_ path: String, _ port: Int) async throws -> Page {
        let client = try HTTPClient(userAgent: "test")
        let answer = try await client.send(HTTPClient.Request(method: .get, url: "http://127.0.0.1:\(port)\(path)"))
        await client.shutdown()
        return Page(
            status: answer.status.code, type: answer.fields[.contentType] ?? "",
            body: String(decoding: answer.body, as: UTF8.self))
    }

    @Test func healthAndMetricsFollowTheWork() async throws {
        try await Stage.with { stage in
            try await stage.daemon.with(["SHEETSYNC_HTTP_ADDRESS": "127.0.0.1:0"]).withDaemon { daemon in
                let port = try await port(daemon)
                for path in ["/livez", "/readyz", "/readyz?verbose"] {
                    let page = try await get(path, port)
                    #expect(page.status == 200 && page.body == "ok\n", "\(path): \(page)")
                }
                let job = try await stage.ended(try await stage.enqueue("export", export("Counted")))
                #expect(job.state == "completed", "\(job.json)")
                _ = try await stage.ended(try await stage.enqueue("noop", [:]))
                _ = try await stage.enqueue("noop", [:], ", run_at => now() + interval '1 hour'")

                var metrics = Page(status: 0, type: "", body: "")
                try await wait(for: "the counts", within: .seconds(120), seeing: { metrics.body }) {
                    metrics = try await get("/metrics", port)
                    return metrics.value(#"sheetsync_jobs{state="scheduled"}"#) == 1
                }
                #expect(metrics.status == 200 && metrics.type.hasPrefix("text/plain; version=0.0.4"), "\(metrics)")
                let calls = try #require(job.result?["api_calls"]?.int)
                let counted = metrics.body.split(separator: "\n").filter {
                    $0.hasPrefix("sheetsync_api_calls_total{")
                }.compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
                #expect(counted.reduce(0, +) == calls, "\(calls) calls: \(metrics)")
                for (sample, value) in [
                    (#"sheetsync_jobs_finished_total{kind="export",state="completed"}"#, 1),
                    (#"sheetsync_jobs_finished_total{kind="noop",state="completed"}"#, 1),
                    (#"sheetsync_api_calls_total{service="sheets",method="POST",status="200"}"#, 1),
                    (#"sheetsync_api_call_duration_seconds_count{service="sheets"}"#, 1),
                    (#"sheetsync_api_call_duration_seconds_bucket{service="sheets",le="+Inf"}"#, 1),
                    ("sheetsync_oldest_claimable_job_age_seconds", 0), ("sheetsync_database_up", 1),
                    ("sheetsync_workers", 1), ("sheetsync_worker_ready", 1),
                ] as [(String, Double)] {
                    #expect(metrics.value(sample) == value, "\(sample): \(metrics)")
                }
                for sample in [
                    "process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds",
                    "process_start_time_seconds",
                ] {
                    #expect((metrics.value(sample) ?? 0) > 0, "\(sample): \(metrics)")
                }
                let lines = metrics.body.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
                let form = /[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? -?[0-9.e+-]+/
                #expect(
                    lines.allSatisfy {
                        $0.hasPrefix("# HELP ") || $0.hasPrefix("# TYPE ") || $0.wholeMatch(of: form) != nil
                    },
                    "\(metrics)")

                let health = try await get("/health", port)
                let json = try JSON(parsing: health.body)
                #expect(health.status == 200 && health.type == "application/json", "\(health)")
                #expect(json["schema"] == 1 && json["status"] == "healthy" && json["reasons"] == [], "\(health)")
                #expect(json["database"]?["version"]?.string?.isEmpty == false, "\(health)")
                #expect(json["queue"]?["scheduled"] == 1 && json["workers"]?["alive"] == 1, "\(health)")
                for member in ["system", "memory", "disk", "worker", "uptime_seconds"] {
                    #expect(json[member] != nil, "lacks \(member): \(health)")
                }
                #expect(!health.body.contains(Stage.password) && !metrics.body.contains(Stage.password))
                #expect(try await get("/", port).status == 404)
            }
        }
    }

    @Test func withoutTelemetryThereAreNoMetrics() async throws {
        try await Stage.with { stage in
            let daemon = stage.daemon.with(["SHEETSYNC_HTTP_ADDRESS": "localhost:0", "ENABLE_TELEMETRY": "false"])
            try await daemon.withDaemon { daemon in
                let line = try #require(daemon.errors.firstMatch(of: /at http:\/\/localhost:([0-9]+)/))
                let port = try #require(Int(line.1))
                #expect(try await get("/metrics", port).status == 404)
                #expect(try await get("/health", port).status == 200)
            }
        }
    }

    @Test func aDaemonThatStopsIsAliveAndNotReady() async throws {
        try await Stage.with { stage in
            let daemon = stage.daemon.with(["SHEETSYNC_HTTP_ADDRESS": "127.0.0.1:0", "SHEETSYNC_SHUTDOWN_GRACE": "30"])
            try await daemon.withDaemon { daemon in
                let port = try await port(daemon)
                let job = try await stage.enqueue("noop", ["sleep_ms": 60_000])
                try await stage.queue.expect(job, "running")
                daemon.send(SIGTERM)
                try await daemon.expectToSay("waiting for running jobs")
                let ready = try await get("/readyz", port)
                #expect(ready.status == 503 && ready.body.contains("claims no more jobs"), "\(ready)")
                #expect(try await get("/livez", port).status == 200)
                #expect(try await get("/health", port).status == 503)
                #expect(try await stage.queue.jobs.cancel(job))
            }
        }
    }

    @Test func aDatabaseThatIsGoneIsUnhealthyAndComesBack() async throws {
        try await Stage.with { stage in
            let login = stage.name(.worker)
            let daemon = stage.daemon.with([
                "SHEETSYNC_LEASE_SECONDS": "5", "SHEETSYNC_HTTP_ADDRESS": "127.0.0.1:0",
            ])
            try await daemon.withDaemon { daemon in
                let port = try await port(daemon)
                _ = try await stage.queue.psql(
                    """
                    alter role \(login) nologin;
                    select pg_terminate_backend(pid) from pg_stat_activity where usename = '\(login)';
                    """)
                var page = Page(status: 0, type: "", body: "")
                try await wait(for: "health to be bad", within: .seconds(120), seeing: { "\(page)" }) {
                    page = try await get("/health", port)
                    return page.status == 503
                }
                let json = try JSON(parsing: page.body)
                #expect(json["status"] == "unhealthy" && json["database"]?["status"] == "unhealthy", "\(page)")
                #expect(json["reasons"]?.description.contains("database") == true, "\(page)")
                #expect(!page.body.contains(Stage.password))
                let metrics = try await get("/metrics", port)
                #expect(metrics.status == 200 && metrics.value("sheetsync_database_up") == 0, "\(metrics)")
                #expect(try await get("/livez", port).status == 200, "a restart would not help")
                _ = try await stage.queue.psql("alter role \(login) login")
                try await wait(for: "readiness", within: .seconds(120), seeing: { "\(page)" }) {
                    page = try await get("/readyz", port)
                    return page.status == 200
                }
            }
        }
    }

    @Test func slowAndHostileClientsAreCutOffAndHurtNobody() async throws {
        try await Stage.with { stage in
            try await stage.daemon.with(["SHEETSYNC_HTTP_ADDRESS": "127.0.0.1:0"]).withDaemon { daemon in
                let port = try await port(daemon)
                let garbage = RawConnection(port: port)
                garbage.send("\u{0}\u{1}\u{2} no HTTP at all\r\n\r\n")
                #expect(garbage.rest()?.contains("200") == false, "ended, and not by a page")
                let post = RawConnection(port: port)
                post.send("POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n")
                #expect(post.rest()?.hasPrefix("HTTP/1.1 405 ") == true)
                let head = RawConnection(port: port)
                head.send("HEAD /livez HTTP/1.1\r\nHost: x\r\n\r\n")
                let answer = head.rest()
                #expect(
                    answer?.hasPrefix("HTTP/1.1 200 ") == true && answer?.hasSuffix("\r\n\r\n") == true,
                    "\(answer ?? "")")
                let pipelined = RawConnection(port: port)
                pipelined.send(String(repeating: "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", count: 20))
                #expect(
                    pipelined.rest()?.components(separatedBy: "HTTP/1.1 200").count == 2, "one request a connection")

                let endless = RawConnection(port: port)
                endless.send("GET /livez HTTP/1.1\r\n")
                var sent = 0
                while sent < 10_000, endless.send("X-Header-\(sent): \(String(repeating: "x", count: 1000))\r\n") {
                    sent += 1
                }
                #expect(sent < 10_000, "cut off in the middle of its headers")

                // More than the server takes, and none of them says a word; those it took are cut off in time.
                let silent = (0..<80).map { _ in RawConnection(port: port) }
                let job = try await stage.ended(try await stage.enqueue("export", export("Beside them")))
                #expect(job.state == "completed", "\(job.json)")
                for connection in silent { #expect(connection.rest(within: .seconds(30)) != nil, "is cut off") }
                #expect(try await get("/livez", port).status == 200)
            }
        }
    }

    /// Connections of monitors leave files for jobs and for Swift's runtime, which ends a process that cannot open any.
    @Test func withFewFilesItSaysSoAndDoesNotSpin() async throws {
        try await Stage.with { stage in
            let daemon = stage.daemon.with(["SHEETSYNC_HTTP_ADDRESS": "127.0.0.1:0"])
            let log = stage.directory.path + "/log"
            let process = Process()
            process.executableURL = URL(filePath: "/bin/sh")
            process.arguments = ["-c", "ulimit -n 34; exec \"$0\" run 2> \"$1\"", Program.path, log]
            process.environment = daemon.environment.merging(["PATH": "/usr/bin:/bin"]) { given, _ in given }
            try process.run()
            defer { kill(process.processIdentifier, SIGKILL) }
            func said() -> String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }
            try await wait(for: "the start", within: .seconds(120), seeing: said) { said().contains("worker is ready") }
            #expect(said().contains("only 34 files may be open, and up to 108 may be needed at once"), "\(said())")
            let line = try #require(said().firstMatch(of: /health and metrics are at http:\/\/127.0.0.1:([0-9]+)/))
            let port = try #require(Int(line.1))
            // All its own connections first.
            _ = try await stage.ended(try await stage.enqueue("noop", [:]))
            let silent = (0..<60).map { _ in RawConnection(port: port) }
            func ticks() throws -> Int {
                let stat = try String(contentsOfFile: "/proc/\(process.processIdentifier)/stat", encoding: .utf8)
                let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ")
                return (Int(fields[12]) ?? 0) + (Int(fields[13]) ?? 0)
            }
            try await Task.sleep(for: .milliseconds(500))
            #expect(process.isRunning, "\(said())")
            let files = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process.processIdentifier)/fd")
                .count
            #expect(files < 34, "\(files) files are open")
            // The pause may become longer where many tests run, and what the daemon does besides takes more then.
            let (before, begin) = (try ticks(), ContinuousClock.now)
            try await Task.sleep(for: .seconds(2))
            let (used, passed) = (try ticks() - before, Int((ContinuousClock.now - begin) / .milliseconds(10)))
            #expect(used < passed / 4, "\(used) of \(passed) ticks of a processor")
            for connection in silent { #expect(connection.rest(within: .seconds(30)) != nil, "is cut off") }
            do {
                #expect(try await get("/livez", port).status == 200)
            } catch { Issue.record("\(error)\nrunning \(process.isRunning): \(said())") }
            process.terminate()
            try await wait(for: "the end", within: .seconds(120), seeing: said) { !process.isRunning }
            #expect(process.terminationStatus == 0, "\(said())")
        }
    }

    @Test func anAddressThatCannotBeUsedIsAnErrorOfItsSetting() async throws {
        try await Stage.with { stage in
            try await stage.daemon.with(["SHEETSYNC_HTTP_ADDRESS": "127.0.0.1:0"]).withDaemon { daemon in
                let address = "127.0.0.1:\(try await port(daemon))"
                let second = try await stage.daemon.with(["SHEETSYNC_HTTP_ADDRESS": address])("run")
                second.expectRefusal(78, "SHEETSYNC_HTTP_ADDRESS", address, "in use by another program")
            }
            for wrong in ["8090", "127.0.0.1", "127.0.0.1:x", "::1:8090", "http://127.0.0.1:80", ":8090", "a:70000"] {
                let ended = try await stage.daemon.with(["SHEETSYNC_HTTP_ADDRESS": wrong])("run")
                ended.expectRefusal(78, "SHEETSYNC_HTTP_ADDRESS", "127.0.0.1:8090")
            }
        }
    }

    @Test func addressesOfBothKindsAreRead() {
        #expect(BindAddress("[::1]:8090")?.description == "[::1]:8090" && BindAddress("[::1]:8090")?.host == "::1")
        #expect(BindAddress("localhost:0")?.port == 0)
    }

    @Test func silentConnectionsKeepNobodyOut() async throws {
        let server = try await PageServer(BindAddress(host: "127.0.0.1", port: 0)) { _ in
            HTTPAnswer(status: 200, body: "ok\n")
        }
        let running = Task { try await server.run() }
        defer { running.cancel() }
        var silent: [RawConnection] = []
        var failed = 0
        func isServed() -> Bool {
            // Who is not heard for two seconds is cut off, which a machine with much to do may do to anybody.
            for _ in 1...5 {
                let begin = ContinuousClock.now
                let probe = RawConnection(port: server.address.port)
                probe.send("GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                if probe.rest()?.hasSuffix("ok\n") == true { return true }
                if .now - begin < .seconds(2) { return false }
            }
            return false
        }
        for round in 0..<120 {
            while silent.count < 64 + round { silent.append(RawConnection(port: server.address.port)) }
            if !isServed() { failed += 1 }
        }
        #expect(failed == 0)
        // And who has begun and says no more is cut off, long before the ten seconds of a whole request.
        let slow = RawConnection(port: server.address.port)
        slow.send("GET /livez HTTP/1.1\r\nHost: ")
        #expect(slow.rest(within: .seconds(8)) == "")
    }

    /// Who has asked keeps the place until the answer; there are 16 for one address, and 64 in all.
    @Test func placesAreLimitedForAnAddressAndInAll() async throws {
        let asked = Mutex(0)
        let (waiting, end) = AsyncStream.makeStream(of: Never.self)
        let server = try await PageServer(BindAddress(host: "127.0.0.1", port: 0)) { _ in
            asked.withLock { $0 += 1 }
            for await _ in waiting {}
            return HTTPAnswer(status: 200, body: "ok\n")
        }
        let running = Task { try await server.run() }
        defer { running.cancel() }
        func ask(from host: UInt8) -> RawConnection {
            let connection = RawConnection(port: server.address.port, from: host)
            connection.send("GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            return connection
        }
        var held: [RawConnection] = []
        for host in UInt8(2)...5 {
            for _ in 0..<16 { held.append(ask(from: host)) }
            try await wait(for: "the requests of 127.0.0.\(host)", seeing: { "\(asked.withLock { $0 })" }) {
                asked.withLock { $0 } == held.count
            }
            #expect(ask(from: host).rest() == "", "a seventeenth of 127.0.0.\(host)")
        }
        #expect(ask(from: 6).rest() == "", "a sixty-fifth")
        end.finish()
        for connection in held { #expect(connection.rest()?.hasSuffix("ok\n") == true) }
        #expect(ask(from: 6).rest()?.hasSuffix("ok\n") == true, "places come back")
    }

    @Test func aRequestHas16KiBAtMost() async throws {
        let server = try await PageServer(BindAddress(host: "127.0.0.1", port: 0)) { _ in
            HTTPAnswer(status: 200, body: "ok\n")
        }
        let running = Task { try await server.run() }
        defer { running.cancel() }
        func answer(toBytes count: Int) -> String? {
            let begin = "GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Filler: "
            let connection = RawConnection(port: server.address.port)
            connection.send(begin + String(repeating: "x", count: count - begin.utf8.count - 4) + "\r\n\r\n")
            return connection.rest()
        }
        #expect(answer(toBytes: 16 << 10)?.hasSuffix("ok\n") == true)
        #expect(answer(toBytes: (16 << 10) + 1) == "")
    }

    /// A page that is never ready, and a client that never takes it.
    @Test func everyConnectionEndsInTime() async throws {
        // More than the buffers of both sides take.
        let large = String(repeating: String(repeating: "x", count: 1 << 10), count: 32 << 10)
        let server = try await PageServer(BindAddress(host: "127.0.0.1", port: 0)) { path in
            if path == "/never" { try? await Task.sleep(for: .seconds(3600)) }
            return HTTPAnswer(status: 200, body: large)
        }
        let running = Task { try await server.run() }
        let never = RawConnection(port: server.address.port)
        never.send("GET /never HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        let deaf = RawConnection(port: server.address.port)
        deaf.send("GET /large HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        #expect(never.rest(within: .seconds(30)) == "", "is cut off without an answer")
        // What it did not read in time never comes.
        let received = try #require(deaf.rest(within: .seconds(30))?.utf8.count)
        #expect(received > 0 && received < large.utf8.count, "\(received)")
        // A page that is still being made holds up no shutdown.
        running.cancel()
        try await running.value
    }

    @Test func aForeignHostIsRefusedAndNothingIsGuessed() async throws {
        let server = try await PageServer(BindAddress(host: "127.0.0.1", port: 0)) { _ in
            HTTPAnswer(status: 200, body: "ok\n")
        }
        let running = Task { try await server.run() }
        defer { running.cancel() }
        for (host, status) in [
            ("rebound.example.com", 421), ("rebound.example.com:8090", 421), ("127.0.0.1.example.com", 421),
            ("localhost.example.com.", 421), ("127.0.0.1", 200), ("127.0.0.1:8090", 200), ("[::1]:8090", 200),
            ("localhost:8090", 200), ("sheetsync", 200), ("10.1.2.3:80", 200),
            ("sheetsync.default.svc.cluster.local", 200),
        ] {
            let connection = RawConnection(port: server.address.port)
            connection.send("GET /livez HTTP/1.1\r\nHost: \(host)\r\n\r\n")
            let answer = connection.rest() ?? ""
            #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(host): \(answer)")
            #expect(answer.contains("X-Content-Type-Options: nosniff"), "\(answer)")
        }
    }

    @Test func theEmulatorIsNotForForeignPagesEither() async throws {
        try await Stage.with { stage in
            let base = try await stage.emulator.baseURL
            let client = try HTTPClient(userAgent: "test")
            let host = try #require(HTTPField.Name("Host"))
            let origin = try #require(HTTPField.Name("Origin"))
            let own = base.dropFirst("http://".count)
            for (path, fields, status) in [
                ("/", [host: "rebound.example.com"], 421), ("/drive/v3/about", [host: "rebound.example.com"], 421),
                ("/emulator/faults", [host: "rebound.example.com"], 421), ("/", [:], 200),
                ("/emulator/faults", [:], 200), ("/emulator/faults", [origin: base], 200),
                ("/emulator/faults", [origin: "https://rebound.example.com"], 403),
                ("/emulator/faults", [origin: "null"], 403),
                ("/", [host: "localhost:\(own.split(separator: ":")[1])"], 200),
            ] as [(String, HTTPFields, Int)] {
                let answer = try await client.send(
                    HTTPClient.Request(method: .get, url: "\(base)\(path)", fields: fields))
                #expect(answer.status.code == status, "\(path) \(fields)")
                #expect(answer.fields[.xContentTypeOptions] == "nosniff")
            }
            await client.shutdown()
        }
    }
}

import Testing

@testable import JobQueue

@Suite struct DecisionTests {
    private func report(
        available: Int = 0, oldest: Double? = nil, running: Int = 0, discarded: Int = 0, silences: [Double] = [1],
        pauses: [Pause] = []
    ) -> QueueReport {
        var report = QueueReport()
        report.kinds = [.init(kind: "write", available: available, oldestAvailable: oldest, running: running)]
        report.discardedLastHour = discarded
        report.workers = silences.map {
            .init(
                name: "w", version: "1", silence: $0, inFlight: 0, concurrency: 16, isListening: true, problem: nil,
                lastError: nil)
        }
        report.pauses = pauses
        return report
    }

    /// Everything is wrong; each reason comes to light when the ones before it are mended.
    @Test func theFirstReasonIsTheOneToMendFirst() {
        var external = ExternalCauses(
            failures: [.init("breaker", "the printer fails")], limits: [.init("quota", "the paper is used up for 5 s")])
        func verdict(_ report: QueueReport) -> Verdict { Verdict(report, silenceLimit: 45, external: external) }
        var report = report(available: 5, oldest: 400, discarded: 2, silences: [99])
        report.pauses = [Pause(kind: nil, by: "anna", since: "2026-05-02 08:00 UTC")]
        report.database = DatabaseReport()
        report.database?.oldestSnapshot = .init(
            pid: 77, name: "pg_dump", login: "backup", age: 200_000, seconds: nil)
        #expect(
            verdict(report).level == .down && verdict(report).reason.hasPrefix("no worker is alive, and 5 jobs wait"))
        report.workers.append(
            .init(
                name: "v", version: "1", silence: 1, inFlight: 0, concurrency: 16, isListening: true,
                problem: "cannot claim jobs: no", lastError: nil, kinds: ["noop"]))
        #expect(verdict(report) == Verdict(.degraded, "the worker v cannot claim jobs: no"))
        report.workers[1] = .init(
            name: "v", version: "1", silence: 1, inFlight: 0, concurrency: 16, isListening: true, problem: nil,
            lastError: nil, kinds: ["noop"])
        #expect(verdict(report).reason.hasPrefix("the queue is paused by anna"))
        report.pauses = []
        #expect(verdict(report).reason.hasPrefix("no worker that is alive can do jobs of kind write, and 5 jobs wait"))
        report.workers[1].kinds = ["write"]
        #expect(verdict(report) == Verdict(.degraded, "the printer fails"))
        external.failures = []
        report.waits = [
            .init(
                code: "google.waiting", count: 9, example: 3, message: "The quota is used up.", needsMending: false),
            .init(
                code: "export.template_invalid", count: 2, example: 7, message: "The template is broken.",
                needsMending: true),
        ]
        #expect(
            verdict(report).reason
                == "2 jobs wait until somebody mends it, such as job 7: export.template_invalid: The template is broken."
        )
        report.waits.removeLast()
        #expect(
            verdict(report).reason.hasPrefix("an open transaction slows down the queue: process 77 (pg_dump, login"))
        report.database = nil
        #expect(
            verdict(report).reason
                == "the queue is behind: a job has waited for 400 s, 5 jobs wait; "
                + "the paper is used up for 5 s")
        report.kinds[0].oldestAvailable = 1
        #expect(verdict(report).reason == "2 jobs discarded in the last hour")
        // Attempts that failed otherwise have nothing to do with it.
        report.failures = [.init(code: "google.unavailable", count: 99, example: 8, message: "A fault.")]
        report.discards = [
            .init(code: "payload.invalid", count: 1, example: 7, message: "title: is missing"),
            .init(code: "google.not_found", count: 1, example: 8, message: "It is not there."),
        ]
        #expect(
            verdict(report).reason
                == "2 jobs discarded in the last hour, most often for google.not_found: It is not there.")
        report.discards.removeLast()
        #expect(verdict(report).reason == "1 of 2 workers show no sign of life")
        report.connectedWorkers = 2
        #expect(
            verdict(report).reason.hasPrefix(
                "1 of 2 workers show no sign of life: one has connections to the database yet"))
        report.workers.removeFirst()
        // What payloads say is their producers' to mend.
        #expect(
            verdict(report)
                == Verdict(
                    .ok,
                    "0 running, 5 jobs waiting; the paper is used up for 5 s; 2 jobs discarded in the last hour for what "
                        + "their payloads say, such as job 7: payload.invalid: title: is missing"))
        report.discardedLastHour = 0
        report.discards = []
        #expect(verdict(report) == Verdict(.ok, "0 running, 5 jobs waiting; the paper is used up for 5 s"))
    }

    @Test func judgesTheQueue() {
        func level(_ report: QueueReport) -> Verdict.Level { Verdict(report, silenceLimit: 45).level }
        #expect(level(report()) == .ok)
        #expect(level(report(available: 5, oldest: 2, running: 3)) == .ok)
        #expect(level(report(available: 5, oldest: 301)) == .degraded)
        #expect(level(report(discarded: 1)) == .degraded)
        #expect(level(report(silences: [1, 99])) == .degraded)
        #expect(level(report(silences: [])) == .degraded)
        #expect(level(report(available: 1, silences: [99])) == .down)
        #expect(level(report(running: 1, silences: [])) == .down)
        let pause = Pause(kind: nil, by: "anna", since: "2026-05-02 08:00 UTC")
        #expect(
            Verdict(report(available: 2, oldest: 999, pauses: [pause]), silenceLimit: 45)
                == Verdict(
                    .degraded,
                    "the queue is paused by anna since 2026-05-02 08:00 UTC, 2 jobs wait: resume with `sheetsync queue resume`"
                ))
        #expect(level(report(available: 2, silences: [], pauses: [pause])) == .down)
    }

    @Test func pausesGrowToACeilingAndAreSpread() {
        let policy = RetryPolicy(base: .seconds(4), longest: .seconds(600))
        var random = SystemRandomNumberGenerator()
        for (attempt, ceiling) in [(1, 4), (2, 8), (5, 64), (9, 600), (100, 600)] {
            let pauses = (0..<200).map { _ in policy.pause(after: attempt, using: &random) }
            #expect(pauses.allSatisfy { $0 >= .zero && $0 <= .seconds(ceiling) })
            #expect((pauses.max() ?? .zero) > .seconds(ceiling) * 0.8)
            #expect((pauses.min() ?? .zero) < .seconds(ceiling) * 0.2)
        }
    }

    @Test func aSignalWakesOneWaiterAndIsKept() async throws {
        let signal = Signal()
        signal.raise()
        await signal.wait()
        let began = ContinuousClock.now
        await signal.wait(atMost: .milliseconds(50))
        #expect(ContinuousClock.now - began >= .milliseconds(50))
        let waiter = Task { await signal.wait() }
        try await Task.sleep(for: .milliseconds(20))
        signal.raise()
        await waiter.value
        let cancelled = Task { await signal.wait() }
        cancelled.cancel()
        await cancelled.value
    }
}

import Testing

@testable import JobQueue

@Suite struct DecisionTests {
    private func report(
        available: Int = 0, oldest: Double? = nil, running: Int = 0, discarded: Int = 0, silences: [Double] = [1],
        pauses: [Pause] = []
    ) -> QueueReport {
        QueueReport(
            available: available, oldestAvailable: oldest, held: 0, scheduled: 0, retryable: 0, nextDue: nil,
            running: running,
            completedLastMinute: 0, discardedLastHour: discarded,
            workers: silences.map {
                .init(name: "w", version: "1", silence: $0, inFlight: 0, concurrency: 16, lastError: nil)
            }, failures: [], pauses: pauses)
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

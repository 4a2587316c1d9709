import Foundation
import GoogleEmulator
import JSON
import JobQueue
import Synchronization
import TestSupport
import Testing

/// A daemon is struck at the boundaries of a job's life, one after another: each statement to Postgres and each call to
/// Google, before it is sent and after it took effect but before its answer arrives.
///
/// The gate strikes one of every four that follow each other, by a seed that is printed; `scripts/soak` strikes all.
/// `SHEETSYNC_CRASH_SEED` repeats a sample, `SHEETSYNC_CRASH_POINTS=all` takes every boundary.
@Suite struct CrashPointTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let takesAll = environment["SHEETSYNC_CRASH_POINTS"] == "all"
    private static let seed =
        environment["SHEETSYNC_CRASH_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: 0..<1_000_000)
    /// How many daemons each case strikes at the same time, each with a database and a Google of its own.
    private static let lanes = 2

    /// After a SIGKILL another daemon takes the job over; after a cut the same one goes on.
    @Test(arguments: Trap.Blow.allCases, CrashLane.Work.allCases)
    func nothingIsLostOrDoubledAtAnyBoundary(_ blow: Trap.Blow, _ work: CrashLane.Work) async throws {
        let begin = ContinuousClock.now
        let counted = Mutex<[Trap.Point]>([])
        // The shorter of two: on a slow machine the job may have waited for its quota once, and have begun a second time.
        for _ in 1...2 {
            try await CrashLane.with(work) { lane in
                let passed = try await lane.run(nil, blow).passed
                counted.withLock { if $0.isEmpty || passed.count < $0.count { $0 = passed } }
            }
        }
        // Before it signs in a daemon has no job, and one that cannot reach its database says so and ends.
        let all = Array(counted.withLock { $0 }.drop { !$0.request.contains(".register_worker") })
        #expect(all.count { $0.request.contains(":batchUpdate") && $0.moment == .before } > 2, "several batches")
        let points = Self.takesAll ? all : Self.sample(all, "\(blow), \(work)")
        let queue = PointQueue(points)
        try await withThrowingTaskGroup { group in
            for _ in 1...Self.lanes {
                group.addTask {
                    try await CrashLane.with(work) { lane in
                        while let point = queue.next() {
                            queue.note(try await lane.run(point, blow), at: point)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        let notReached = queue.missed
        print(
            "\(blow), \(work): \(points.count - notReached.count) of \(points.count) crash points struck",
            Self.takesAll ? "(all)," : "(of \(all.count), SHEETSYNC_CRASH_SEED=\(Self.seed)),",
            "lost \(queue.lost), duplicated \(queue.duplicated), \(ContinuousClock.now - begin); not reached: \(notReached)"
        )
        #expect(queue.lost == 0 && queue.duplicated == 0)
        // How often a daemon looks for jobs and syncs, asks for quota and shows a sign of life is a matter of time, and so are connections.
        let mustBeReached = notReached.filter { point in
            ![
                ".claim", ".heartbeat", ".reclaim", ".mark_idle", ".look_at_syncs", "connect", "set", "listen",
                "_quota", "select 1",
            ].contains { point.request.contains($0) }
        }
        #expect(mustBeReached.isEmpty)
    }

    /// One of every four that follow each other, so that all parts of a job's life have some.
    private static func sample(_ points: [Trap.Point], _ name: String) -> [Trap.Point] {
        var random = SeededGenerator(seed: name.utf8.reduce(seed) { $0 &* 31 &+ UInt64($1) })
        return stride(from: 0, to: points.count, by: 4).compactMap {
            points[$0..<min($0 + 4, points.count)].randomElement(using: &random)
        }
    }
}

/// The boundaries that are still to be tried, and what came of the others.
private final class PointQueue: Sendable {
    private struct State {
        var waiting: ArraySlice<Trap.Point>
        var missed: [Trap.Point] = []
        var lost = 0
        var duplicated = 0
    }

    private let state: Mutex<State>

    init(_ points: [Trap.Point]) { state = Mutex(State(waiting: points[...])) }

    /// Those that no daemon came by.
    var missed: [Trap.Point] { state.withLock { $0.missed } }
    /// How much was lost of all jobs.
    var lost: Int { state.withLock { $0.lost } }
    /// How much was made twice.
    var duplicated: Int { state.withLock { $0.duplicated } }

    func next() -> Trap.Point? { state.withLock { $0.waiting.popFirst() } }

    func note(_ outcome: CrashLane.Outcome, at point: Trap.Point) {
        state.withLock { state in
            if !outcome.isStruck { state.missed.append(point) }
            state.lost += outcome.lost
            state.duplicated += outcome.duplicated
        }
    }
}

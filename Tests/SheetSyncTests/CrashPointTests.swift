import Foundation
import GoogleEmulator
import JSON
import JobQueue
import Synchronization
import TestSupport
import Testing

/// A daemon is struck at every boundary of a job's life, one after another: each statement to Postgres and each call to
/// Google, before it is sent and after it took effect but before its answer arrives.
@Suite(.serialized) struct CrashPointTests {
    /// How many daemons are struck at the same time, each with a database and a Google of its own.
    private static let lanes = 4

    /// After a SIGKILL another daemon takes the job over; after a cut the same one goes on.
    @Test(arguments: Trap.Blow.allCases) func nothingIsLostOrDoubledAtAnyBoundary(_ blow: Trap.Blow) async throws {
        try await sweep(.small, blow) { points in
            // A daemon that cannot reach the database at its very start says so and ends.
            blow == .kill ? points : Array(points.drop { !$0.request.contains(".enter") })
        }
    }

    /// Data of more than one batch: the boundaries from the first write on.
    @Test(arguments: Trap.Blow.allCases) func nothingIsLostOrDoubledBetweenBatches(_ blow: Trap.Blow) async throws {
        let points = try await sweep(.large, blow) { points in
            points.filter { $0.request.contains(":batchUpdate") || $0.request.contains(".report") }
        }
        #expect(points.count { $0.request.contains(":batchUpdate") && $0.moment == .before } > 1, "several batches")
    }

    /// Counts the boundaries of one undisturbed job and strikes at each of them that is chosen.
    @discardableResult
    private func sweep(
        _ size: CrashLane.Size, _ blow: Trap.Blow, choosing choose: ([Trap.Point]) -> [Trap.Point]
    ) async throws -> [Trap.Point] {
        let begin = ContinuousClock.now
        let counted = Mutex<[Trap.Point]>([])
        try await CrashLane.with(size) { lane in
            let (_, passed) = try await lane.run(nil, blow)
            counted.withLock { $0 = passed }
        }
        let points = choose(counted.withLock { $0 })
        let queue = PointQueue(points)
        try await withThrowingTaskGroup { group in
            for _ in 1...Self.lanes {
                group.addTask {
                    try await CrashLane.with(size) { lane in
                        while let point = queue.next() {
                            let (isStruck, _) = try await lane.run(point, blow)
                            if !isStruck { queue.miss(point) }
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        let notReached = queue.missed
        print(
            "\(blow), \(size): \(points.count - notReached.count) of \(points.count) crash points struck,",
            "lost 0, duplicated 0, \(ContinuousClock.now - begin); not reached: \(notReached)")
        // How often a daemon looks for jobs and shows a sign of life is a matter of time, and so are connections.
        let mustBeReached = notReached.filter { point in
            ![".claim", ".beat", ".reclaim", ".arm", "connect", "set", "listen", ".return_quota", "select 1"].contains {
                point.request.contains($0)
            }
        }
        #expect(mustBeReached.isEmpty)
        #expect(points.count >= 8, "\(points)")
        return points
    }
}

/// The boundaries that are still to be tried, and those that no daemon came by.
private final class PointQueue: Sendable {
    private let state: Mutex<(waiting: ArraySlice<Trap.Point>, missed: [Trap.Point])>

    init(_ points: [Trap.Point]) { state = Mutex((points[...], [])) }

    var missed: [Trap.Point] { state.withLock { $0.missed } }

    func next() -> Trap.Point? { state.withLock { $0.waiting.popFirst() } }
    func miss(_ point: Trap.Point) { state.withLock { $0.missed.append(point) } }
}

import Foundation
import TestSupport

/// How much chaos there is, and with which seed; `scripts/chaos` sets it by the environment.
struct ChaosPlan {
    let jobs = Self.number("JOBS") ?? 150
    let workers = Self.number("WORKERS") ?? 3
    let seed = UInt64(Self.number("SEED") ?? 1)
    /// How many folder paths the exports go to.
    let folders = 8
    /// How many spreadsheets several jobs write into, by what they do there.
    let targets: [ChaosJob.Sharing: Int] = [.replace: 6, .append: 3, .upsert: 3]
    /// The keys of the rows that are upserted.
    let keys = 60
    /// The daemons' lease, in seconds.
    let lease = 5

    /// How many spreadsheets there are before the jobs: the shared ones, and one to copy.
    var spreadsheets: Int { targets.values.reduce(1, +) }

    /// Whether somebody asked for a long run.
    var isLong: Bool { Self.number("JOBS") != nil }

    /// How long the whole may take.
    var limit: Duration { .seconds(120 + jobs) }

    /// A generator of its own for each part, so that one part's timing does not change another's choices.
    func generator(_ part: UInt64) -> SeededGenerator { SeededGenerator(seed: seed &* 1_000_003 &+ part) }

    private static func number(_ name: String) -> Int? {
        ProcessInfo.processInfo.environment["SHEETSYNC_CHAOS_\(name)"].flatMap { Int($0) }
    }
}

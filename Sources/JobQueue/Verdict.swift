/// Whether the queue does its work, and the first reason why not.
public struct Verdict: Sendable, Equatable {
    /// How it is, worst last.
    public enum Level: String, Sendable {
        case ok = "OK"
        case degraded = "DEGRADED"
        case down = "DOWN"
    }

    /// How it is.
    public let level: Level
    /// Why, in words.
    public let reason: String

    /// Makes a verdict.
    public init(_ level: Level, _ reason: String) {
        self.level = level
        self.reason = reason
    }

    /// How long a job may wait before the queue counts as behind.
    public static let longestWait = 300.0

    /// Judges a report.
    ///
    /// - Parameter silenceLimit: The seconds after which a worker without a sign of life counts as dead.
    public init(_ report: QueueReport, silenceLimit: Double) {
        let alive = report.workers.filter { $0.silence <= silenceLimit }
        let waiting = report.available + report.running
        if alive.isEmpty, waiting > 0 {
            self.init(.down, "no worker is alive, and \(Self.count(waiting)) wait: start `sheetsync run`")
        } else if alive.isEmpty {
            self.init(.degraded, "no worker is alive: start `sheetsync run`")
        } else if let pause = report.pauses.first {
            self.init(
                .degraded,
                "\(pause.kind.map { "jobs of kind \($0) are" } ?? "the queue is") paused by \(pause.by) since "
                    + "\(pause.since), \(Self.count(report.available)) wait: resume with `sheetsync queue resume`")
        } else if let oldest = report.oldestAvailable, oldest > Self.longestWait {
            self.init(
                .degraded,
                "the queue is behind: a job has waited for \(Int(oldest)) s, \(Self.count(report.available)) wait")
        } else if report.discardedLastHour > 0 {
            self.init(
                .degraded,
                "\(Self.count(report.discardedLastHour)) discarded in the last hour"
                    + (report.failures.first.map { ", most often for \($0.code)" } ?? ""))
        } else if alive.count < report.workers.count {
            self.init(
                .degraded,
                "\(report.workers.count - alive.count) of \(report.workers.count) workers show no sign of life")
        } else {
            self.init(
                .ok,
                waiting == 0
                    ? "\(alive.count) worker\(alive.count == 1 ? "" : "s") alive, nothing waits"
                    : "\(report.running) running, \(Self.count(report.available)) waiting")
        }
    }

    private static func count(_ jobs: Int) -> String {
        jobs > QueueReport.countLimit
            ? "more than \(QueueReport.countLimit) jobs" : jobs == 1 ? "1 job" : "\(jobs) jobs"
    }
}

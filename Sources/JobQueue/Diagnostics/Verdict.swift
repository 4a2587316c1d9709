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

    /// Judges a report by the first that is true, in the order of what to mend first.
    ///
    /// - Parameters:
    ///   - silenceLimit: The seconds after which a worker without a sign of life counts as dead.
    ///   - stallCause: Why nothing moves, where somebody has looked.
    ///   - external: What keeps jobs waiting outside of the queue.
    public init(
        _ report: QueueReport, silenceLimit: Double, stallCause: StallCause? = nil,
        external: ExternalCauses = ExternalCauses()
    ) {
        let alive = report.workers.filter { $0.silence <= silenceLimit }
        let waiting = report.available + report.running
        if let obstacle = report.database?.obstacle ?? stallCause?.obstacle {
            self = Verdict(.down, obstacle)
        } else if alive.isEmpty {
            let words = stallCause?.words ?? "start `sheetsync run`"
            self =
                waiting > 0
                ? Verdict(.down, "no worker is alive, and \(Self.waiting(waiting)): \(words)")
                : Verdict(.degraded, "no worker is alive: \(words)")
        } else {
            self =
                stallCause?.hindrance.map { Verdict(.degraded, $0) } ?? Self.work(of: alive, report, external)
        }
    }

    /// Judges what the workers that are alive do.
    private static func work(
        of alive: [QueueReport.WorkerRow], _ report: QueueReport, _ external: ExternalCauses
    ) -> Verdict {
        let shares = report.shares(slots: alive.reduce(0) { $0 + $1.concurrency })
        let limits = ([external.limits.first?.words].compactMap(\.self) + shares).joined(separator: "; ")
        if let failing = alive.first(where: { $0.problem != nil }), let problem = failing.problem {
            return Verdict(.degraded, "the worker \(failing.name) \(problem)")
        }
        if let pause = report.pauses.first {
            return Verdict(
                .degraded,
                "\(pause.words), \(waiting(report.available)): \(pause.advice)")
        }
        if let orphan = report.kinds.first(where: { kind in
            kind.available > 0 && alive.allSatisfy { $0.kinds?.contains(kind.kind) == false }
        }) {
            return Verdict(
                .degraded,
                "no worker that is alive can do jobs of kind \(orphan.kind), and \(waiting(orphan.available)): "
                    + "start a newer `sheetsync run`")
        }
        if let failure = external.failures.first { return Verdict(.degraded, failure.words) }
        if let wait = report.waits.first(where: \.needsMending) {
            return Verdict(
                .degraded,
                "\(waiting(wait.count)) until somebody mends it, such as job \(wait.example): \(wait.code): \(wait.message)"
            )
        }
        if let holder = report.database?.oldestSnapshot, holder.isLong {
            return Verdict(.degraded, holder.words)
        }
        if let oldest = report.oldestAvailable, oldest > longestWait {
            return Verdict(
                .degraded,
                "the queue is behind: a job has waited for \(Int(oldest)) s, \(waiting(report.available))"
                    + (limits.isEmpty ? "" : "; \(limits)"))
        }
        if let trouble = report.syncs.lazy.compactMap(\.trouble).first {
            return Verdict(.degraded, trouble)
        }
        // What a payload says is its producer's to mend, and tells nothing of the queue.
        let faults = report.discards.filter {
            !$0.code.hasPrefix("payload.") && $0.code != QueueErrorCode.payloadUnreadable.rawValue
        }
        if report.discardedLastHour > 0, report.discards.isEmpty || !faults.isEmpty {
            return Verdict(
                .degraded,
                "\(count(report.discardedLastHour)) discarded in the last hour"
                    + (faults.first.map { ", most often for \($0.code): \($0.message)" } ?? ""))
        }
        if alive.count < report.workers.count {
            let hanging = (report.connectedWorkers ?? 0) - alive.count
            return Verdict(
                .degraded,
                "\(report.workers.count - alive.count) of \(report.workers.count) workers show no sign of life"
                    + (hanging > 0
                        ? ": \(hanging == 1 ? "one has" : "\(hanging) have") connections to the database yet, so the process "
                            + "hangs or was stopped (SIGSTOP, a frozen container or machine)" : ""))
        }
        let work =
            report.available + report.running == 0
            ? "\(alive.count) worker\(alive.count == 1 ? "" : "s") alive, nothing waits"
            : "\(report.running) running, \(count(report.available)) waiting"
        let refused = report.discards.first.map {
            "\(count(report.discardedLastHour)) discarded in the last hour for what \(report.discardedLastHour == 1 ? "its payload says" : "their payloads say"), "
                + "such as job \($0.example): \($0.code): \($0.message)"
        }
        return Verdict(.ok, [work, limits.isEmpty ? nil : limits, refused].compactMap(\.self).joined(separator: "; "))
    }

    private static func waiting(_ jobs: Int) -> String { "\(count(jobs)) \(jobs == 1 ? "waits" : "wait")" }

    private static func count(_ jobs: Int) -> String {
        jobs > QueueReport.countLimit
            ? "more than \(QueueReport.countLimit) jobs" : jobs == 1 ? "1 job" : "\(jobs) jobs"
    }
}

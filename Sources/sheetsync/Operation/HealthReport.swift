import Export
import FoundationEssentials
import JSON
import JobQueue
import Postgres

/// What `/health` says: whether this daemon and its queue are well, and the numbers behind that.
struct HealthReport {
    enum Status: String, Comparable {
        case healthy, degraded, unhealthy

        static func < (left: Status, right: Status) -> Bool { left.rank < right.rank }

        private var rank: Int {
            switch self {
            case .healthy: 0
            case .degraded: 1
            case .unhealthy: 2
            }
        }
    }

    /// Less than this share of memory or disk is reason for concern.
    private static let scarce = 0.05

    private let finding: QueueProbe.Finding
    private let worker: WorkerWatch.State
    private let statistics: ProcessStatistics
    private let silenceLimit: Duration
    /// The worst that was found, first; empty where all is well.
    private let findings: [(status: Status, reason: String)]

    init(
        _ finding: QueueProbe.Finding, worker: WorkerWatch.State, hang: String?, statistics: ProcessStatistics,
        silenceLimit: Duration
    ) {
        self.finding = finding
        self.worker = worker
        self.statistics = statistics
        self.silenceLimit = silenceLimit
        var findings: [(status: Status, reason: String)] = []
        if let hang { findings.append((.unhealthy, hang)) }
        if let obstacle = worker.obstacle(silenceLimit: silenceLimit) {
            findings.append((.unhealthy, obstacle))
        } else if let problem = worker.currentProblem {
            findings.append((.degraded, problem))
        }
        switch finding.outcome {
        case .failure(let error): findings.append((.unhealthy, error.description))
        case .success(let found):
            let verdict = Verdict(
                found.report, silenceLimit: silenceLimit / .seconds(1), stallCause: found.stallCause,
                external: found.google.causes())
            switch verdict.level {
            case .ok: break
            case .degraded: findings.append((.degraded, verdict.reason))
            case .down: findings.append((.unhealthy, verdict.reason))
            }
        }
        if let disk = statistics.diskFreeShare, disk < Self.scarce {
            findings.append((.degraded, "the disk with temporary files is almost full"))
        }
        if let memory = statistics.memoryAvailableShare, memory < Self.scarce {
            findings.append((.degraded, "the machine has almost no memory left"))
        }
        self.findings = findings.filter { $0.status == .unhealthy } + findings.filter { $0.status == .degraded }
    }

    var status: Status { findings.first?.status ?? .healthy }

    var json: JSON {
        var members = JSONObject([
            .init(name: "schema", value: 1), .init(name: "status", value: .string(status.rawValue)),
            .init(name: "reasons", value: .array(findings.map { .string($0.reason) })),
            .init(name: "version", value: .string(SheetSync.version)),
            .init(name: "uptime_seconds", value: JSON(statistics.uptime.rounded())),
            .init(name: "database", value: database),
            .init(
                name: "worker",
                value: [
                    "phase": .string(worker.phase.rawValue), "in_flight": JSON(worker.inFlight),
                    "seconds_since_beat": worker.beatAt.map { seconds($0.duration(to: .now)) } ?? .null,
                ]),
        ])
        if case .success(let found) = finding.outcome {
            let report = found.report
            members["queue"] = [
                "available": JSON(report.available), "scheduled": JSON(report.scheduled),
                "retryable": JSON(report.retryable), "running": JSON(report.running),
                "oldest_available_seconds": report.oldestAvailable.map { JSON(max($0, 0)) } ?? .null,
                "completed_last_minute": JSON(report.completedLastMinute),
                "discarded_last_hour": JSON(report.discardedLastHour),
            ]
            let alive = report.workers.filter { $0.silence <= silenceLimit / .seconds(1) }
            members["workers"] = [
                "alive": JSON(alive.count), "silent": JSON(report.workers.count - alive.count),
                "in_flight": JSON(alive.reduce(0) { $0 + $1.inFlight }),
                "capacity": JSON(alive.reduce(0) { $0 + $1.concurrency }),
            ]
        }
        members["system"] = ["load_1m": number(statistics.load)]
        members["memory"] = [
            "resident_bytes": number(statistics.residentBytes), "available_bytes": number(statistics.memoryAvailable),
            "total_bytes": number(statistics.memoryTotal),
        ]
        members["disk"] = ["free_bytes": number(statistics.diskFree), "total_bytes": number(statistics.diskTotal)]
        return .object(members)
    }

    private var database: JSON {
        switch finding.outcome {
        case .success(let found):
            [
                "status": "healthy", "query_time_seconds": seconds(finding.queryTime),
                "version": .string(found.report.database?.serverVersion ?? ""),
            ]
        case .failure(let error): ["status": "unhealthy", "error": .string(error.description)]
        }
    }

    private func seconds(_ duration: Duration) -> JSON { JSON((duration / .milliseconds(1)).rounded() / 1000) }
    private func number(_ value: Int?) -> JSON { value.map { JSON($0) } ?? .null }
    private func number(_ value: Double?) -> JSON { value.map { JSON($0) } ?? .null }
}

extension ProcessStatistics {
    fileprivate var uptime: Double { -startedAt.timeIntervalSinceNow }

    fileprivate var diskFreeShare: Double? { share(diskFree, of: diskTotal) }
    fileprivate var memoryAvailableShare: Double? { share(memoryAvailable, of: memoryTotal) }

    private func share(_ part: Int?, of whole: Int?) -> Double? {
        guard let part, let whole, whole > 0 else { return nil }
        return Double(part) / Double(whole)
    }
}

import Export
import JSON
import JobQueue

extension StatusPage {
    /// All of it for programs; members are only ever added within a schema's number.
    var json: JSON {
        var members = JSONObject([
            .init(name: "schema", value: 1), .init(name: "verdict", value: .string(verdict.level.rawValue)),
            .init(name: "reason", value: .string(verdict.reason)),
        ])
        guard let report else { return .object(members) }
        members["queue"] = [
            "available": JSON(report.available), "oldest_available_seconds": seconds(report.oldestAvailable),
            "running": JSON(report.running), "capacity": JSON(report.capacity), "held": JSON(report.blocked),
            "scheduled": JSON(report.scheduled), "retryable": JSON(report.retryable), "deferred": JSON(report.snoozed),
            "next_due_seconds": seconds(report.nextDue), "completed_last_minute": JSON(report.completedLastMinute),
            "discarded_last_hour": JSON(report.discardedLastHour),
        ]
        members["kinds"] = .array(report.kinds.map(kind))
        members["logins"] = .array(report.logins.map(login))
        members["syncs"] = .array(report.syncs.map(sync))
        members["workers"] = .array(report.workers.map(worker))
        members["longest_running"] = .array(report.longestRunning.map(running))
        members["failures"] = .array(report.failures.map(error))
        members["pauses"] = .array(
            report.pauses.map { ["kind": JSON($0.kind), "by": .string($0.by), "since": .string($0.since)] })
        members["waits"] = .array(report.waits.map(error))
        members["identities"] = .array(google.identities.map(identity))
        members["quotas"] = .array(google.quotas.map(quota))
        members["breakers"] = .array(google.breakers.map(breaker))
        members["trial"] = trial.json
        if let database = report.database {
            members["database"] = self.database(database, listeners: report.workers.count(where: \.isListening))
        }
        return .object(members)
    }

    private func kind(_ kind: QueueReport.KindRow) -> JSON {
        [
            "kind": .string(kind.kind), "available": JSON(kind.available),
            "oldest_available_seconds": seconds(kind.oldestAvailable), "running": JSON(kind.running),
            "scheduled": JSON(kind.scheduled), "retryable": JSON(kind.retryable), "deferred": JSON(kind.snoozed),
            "next_due_seconds": seconds(kind.nextDue), "completed_per_minute": seconds(kind.completedPerMinute),
            "discarded": JSON(kind.discarded), "failure_share": seconds(kind.failureShare),
            "p50_seconds": seconds(kind.medianTime), "p99_seconds": seconds(kind.longTime),
        ]
    }

    private func login(_ login: QueueReport.LoginRow) -> JSON {
        [
            "login": .string(login.login), "running": JSON(login.running), "slots": number(login.slots),
            "waiting": number(login.waiting), "best_priority": number(login.bestPriority),
        ]
    }

    private func sync(_ sync: QueueReport.SyncRow) -> JSON {
        [
            "name": .string(sync.name), "paused": .bool(sync.isPaused), "last_job": number(sync.lastJob),
            "last_success_seconds": sync.hasSucceeded ? seconds(sync.age) : .null,
            "late_seconds": sync.lateFor.flatMap { $0 > 0 ? $0 : nil }.map { seconds($0) } ?? .null,
            "failing_seconds": seconds(sync.failure?.seconds), "next_seconds": seconds(sync.nextIn),
            "code": JSON(sync.failure?.code), "unwatched_table": JSON(sync.unwatched), "trouble": JSON(sync.trouble),
        ]
    }

    private func worker(_ worker: QueueReport.WorkerRow) -> JSON {
        [
            "name": .string(worker.name), "version": .string(worker.version),
            "silent_seconds": seconds(worker.silence), "in_flight": JSON(worker.inFlight),
            "concurrency": JSON(worker.concurrency), "last_error": JSON(worker.problem ?? worker.lastError),
            "problem": JSON(worker.problem),
            "kinds": worker.kinds.map { JSON.array($0.map(JSON.string)) } ?? JSON.null,
        ]
    }

    private func running(_ job: QueueReport.RunningRow) -> JSON {
        [
            "id": JSON(job.id), "kind": .string(job.kind), "worker": JSON(job.worker), "seconds": seconds(job.seconds),
            "step": JSON(job.progress?.step), "rows_done": number(job.progress?.rowsDone),
            "rows_total": number(job.progress?.rowsTotal),
        ]
    }

    private func error(_ error: QueueReport.ErrorRow) -> JSON {
        [
            "code": .string(error.code), "count": JSON(error.count), "example_job": JSON(error.example),
            "message": .string(error.message),
        ]
    }

    private func identity(_ identity: IdentityStanding) -> JSON {
        [
            "account": .string(identity.account), "token_expires_in_seconds": seconds(identity.tokenLeft),
            "quotas": .array(
                identity.quotas.map { ["name": .string($0.name), "left": JSON($0.left), "allowed": JSON($0.allowed)] }),
            "open_breakers": .array(identity.breakers.map { .string($0.service) }),
        ]
    }

    private func quota(_ quota: Quota) -> JSON {
        [
            "name": .string(quota.name), "allowed": JSON(quota.allowed), "used": JSON(quota.used),
            "free": JSON(quota.free), "learned": .bool(quota.isObserved), "free_in_seconds": seconds(quota.freeIn),
        ]
    }

    private func breaker(_ breaker: OpenBreaker) -> JSON {
        [
            "name": .string(breaker.name), "reason": .string(breaker.reason), "since": .string(breaker.since),
            "next_try_seconds": seconds(breaker.retryIn),
        ]
    }

    private func database(_ database: DatabaseReport, listeners: Int) -> JSON {
        [
            "server_version": .string(database.serverVersion), "schema_step": JSON(database.schemaStep),
            "listeners": JSON(listeners), "clock_skew_seconds": JSON((clockSkew * 1000).rounded() / 1000),
            "only_reads": database.lock.map { .string($0.rawValue) } ?? JSON.null,
            "oldest_snapshot": database.oldestSnapshot.map {
                [
                    "holder": .string($0.kind.rawValue), "pid": number($0.pid), "application": .string($0.name),
                    "login": .string($0.login),
                    "transactions": JSON($0.age), "seconds": seconds($0.seconds),
                ]
            } ?? JSON.null,
        ]
    }

    private func number(_ value: Int?) -> JSON { value.map { JSON($0) } ?? .null }

    private func seconds(_ value: Double?) -> JSON {
        value.map { JSON((max($0, 0) * 1000).rounded() / 1000) } ?? .null
    }
}

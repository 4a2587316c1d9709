import Export
import FoundationEssentials
import JobQueue
import Output

/// What `sheetsync status` shows a person: the verdict, then a table a subject, those that are empty left out.
struct StatusPage {
    let verdict: Verdict
    let report: QueueReport?
    let google: GoogleStanding
    /// What the last trial saw of Google.
    let trial: [TrialFinding]
    /// How far the database's clock is ahead of this machine's, in seconds.
    let clockSkew: Double

    init(
        _ verdict: Verdict, _ report: QueueReport? = nil, _ google: GoogleStanding = GoogleStanding(),
        _ trial: [TrialFinding] = []
    ) {
        self.google = google
        self.trial = trial
        self.verdict = verdict
        self.report = report
        clockSkew = (report?.database?.time).map { $0 - Date.now.timeIntervalSince1970 } ?? 0
    }

    func show() {
        let style: Style = verdict.level == .ok ? .green : verdict.level == .degraded ? .yellow : .red
        Console.printWrapped(verdict.reason, behind: "\(verdict.level.rawValue): ", style: style)
        guard let report else { return }
        showQueue(report)
        showLogins(report)
        showSyncs(report)
        showWorkers(report)
        showRunning(report)
        show(report.failures, "FAILED ATTEMPTS, LAST HOUR", "COUNT")
        show(report.waits, "GIVEN BACK, WAIT FOR", "JOBS")
        showIdentities()
        showQuotas()
        if let words = trial.words {
            Console.print("")
            Console.printWrapped(words, behind: "Google was ")
        }
        showDatabase(report)
    }

    private func showQueue(_ report: QueueReport) {
        let busy = report.kinds.filter { !$0.isIdle }
        if !busy.isEmpty {
            var table = Table(
                "KIND", "READY", "OLDEST", "RUN", "LATER", "RETRY", "DEFER", "/MIN", "DISC", "FAIL", "P50", "P99")
            for kind in busy {
                table.add(
                    kind.kind, Self.count(kind.available), Self.span(kind.oldestAvailable), "\(kind.running)",
                    Self.count(kind.scheduled), Self.count(kind.retryable), Self.count(kind.snoozed),
                    "\(Int(kind.completedPerMinute.rounded()))", Self.count(kind.discarded),
                    kind.failureShare.map { "\(Int(($0 * 100).rounded()))%" } ?? "-", Self.span(kind.medianTime),
                    Self.span(kind.longTime))
            }
            Console.print("")
            table.show()
        }
        var facts = ["\(report.running) of \(report.capacity) slots busy"]
        facts.append("\(Self.count(report.completedLastMinute)) done in the last minute")
        facts.append("\(Self.count(report.discardedLastHour)) discarded in the last hour")
        if report.blocked > 0 {
            facts.append("\(Self.count(report.blocked)) behind an earlier job of their spreadsheet")
        }
        if let next = report.nextDue { facts.append("next due in \(approximate(seconds: next))") }
        Console.print("")
        Console.printWrapped(facts.joined(separator: ", "))
    }

    /// Who has which part of the queue, where several share it or somebody has a ceiling.
    private func showLogins(_ report: QueueReport) {
        guard report.logins.count > 1 || report.logins.contains(where: { !$0.isUnlimited }) else { return }
        var table = Table("LOGIN", "RUN", "MAY RUN", "MAY WAIT", "BEST PRIORITY")
        for login in report.logins {
            table.add(
                login.login, "\(login.running)", login.slots.map(String.init) ?? "-",
                login.waiting.map(String.init) ?? "-",
                login.bestPriority.map(String.init) ?? "-")
        }
        Console.print("")
        table.show()
    }

    /// The syncs that somebody should look at.
    private func showSyncs(_ report: QueueReport) {
        let some = report.syncs.filter { $0.isPaused || $0.trouble != nil }
        guard !report.syncs.isEmpty else { return }
        Console.print("")
        let paused = report.syncs.count(where: \.isPaused)
        Console.printWrapped(
            "\(report.syncs.count) sync\(report.syncs.count == 1 ? "" : "s"), "
                + "\(report.syncs.count { $0.trouble != nil }) in trouble, \(paused) paused (`sheetsync sync list`)")
        guard !some.isEmpty else { return }
        var table = Table("SYNC", "STATE", "LAST SUCCESS", "NEXT", "WHY")
        for sync in some.prefix(20) {
            let state =
                sync.isPaused
                ? "paused" : sync.failure != nil ? "fails" : sync.lateFor ?? 0 > 0 ? "late" : "not watched"
            table.add(
                sync.name, state, sync.hasSucceeded ? "\(Self.span(sync.age)) ago" : "never",
                sync.nextIn.map { $0 > 0 ? "in \(Self.span($0))" : "now" } ?? "-",
                sync.failure.map { "\($0.code): \($0.message)" } ?? sync.unwatched ?? "-")
        }
        table.show()
    }

    private func showWorkers(_ report: QueueReport) {
        guard !report.workers.isEmpty else { return }
        var table = Table("WORKER", "VERSION", "LAST BEAT", "JOBS", "LAST ERROR")
        for worker in report.workers {
            table.add(
                worker.name, worker.version, approximate(seconds: worker.silence) + " ago",
                "\(worker.inFlight)/\(worker.concurrency)", worker.problem ?? worker.lastError ?? "-")
        }
        Console.print("")
        table.show()
    }

    private func showRunning(_ report: QueueReport) {
        guard !report.longestRunning.isEmpty else { return }
        var table = Table("RUNNING LONGEST", "KIND", "FOR", "ON", "STEP")
        for job in report.longestRunning {
            table.add(
                "\(job.id)", job.kind, approximate(seconds: job.seconds), job.worker ?? "a lost worker",
                job.progress?.words ?? "-")
        }
        Console.print("")
        table.show()
    }

    private func show(_ errors: [QueueReport.ErrorRow], _ title: String, _ counted: String) {
        guard !errors.isEmpty else { return }
        var table = Table(title, counted, "E.G. JOB", "MESSAGE")
        for error in errors { table.add(error.code, Self.count(error.count), "\(error.example)", error.message) }
        Console.print("")
        table.show()
    }

    private func showIdentities() {
        guard !google.identities.isEmpty else { return }
        var table = Table("TOKEN", "FREE NOW", "BREAKER", "IDENTITY")
        for identity in google.identities {
            let left = identity.quotas.map { "\($0.free) \($0.resource.split(separator: "_").last ?? "")" }
            let open = identity.breakers.map { breaker in
                "\(breaker.service) open" + (breaker.retryIn > 0 ? ", \(Self.span(breaker.retryIn))" : "")
            }
            table.add(
                // An idle daemon lets it end; the next call asks for another.
                identity.tokenLeft.map { $0 > 0 ? "ends in \(Self.span($0))" : "at next call" } ?? "none",
                left.isEmpty ? "-" : left.joined(separator: ", "),
                open.isEmpty ? "closed" : open.joined(separator: "; "), identity.account)
        }
        Console.print("")
        table.show()
    }

    private func showQuotas() {
        if !google.quotas.isEmpty {
            var table = Table("QUOTA", "USED", "FREE NOW", "FREE IN", "OF")
            for quota in google.quotas {
                table.add(
                    quota.resource, "\(quota.used)/\(quota.allowed)\(quota.isObserved ? " (Google's)" : "")",
                    "\(quota.free)", quota.isUsedUp ? Self.span(quota.freeIn) : "-",
                    quota.holder)
            }
            Console.print("")
            table.show()
        }
        for breaker in google.breakers where breaker.words != verdict.reason {
            Console.print("")
            Console.printWrapped(breaker.words, behind: breaker.isCurrent ? "FAILS: " : "failed: ", style: .red)
        }
    }

    private func showDatabase(_ report: QueueReport) {
        guard let database = report.database else { return }
        var facts = ["PostgreSQL \(database.serverVersion)", "schema step \(database.schemaStep)"]
        let listeners = report.workers.count(where: \.isListening)
        facts.append(listeners > 0 ? "\(listeners) listening" : "nobody listens: jobs wait for the next poll")
        if abs(clockSkew) > 2 {
            facts.append("its clock is \(approximate(seconds: abs(clockSkew))) \(clockSkew > 0 ? "ahead" : "behind")")
        }
        if let holder = database.oldestSnapshot, holder.age > 1000 || holder.isLong {
            facts.append("\(holder.holder) keeps the rows of the last \(holder.age) transactions")
        }
        Console.print("")
        Console.printWrapped(facts.joined(separator: ", "))
    }

    /// Counts end at a limit, and a narrow column is best short.
    private static func count(_ number: Int) -> String {
        number > QueueReport.countLimit ? "\(QueueReport.countLimit / 1000)k+" : "\(number)"
    }

    /// A time span for a narrow column: `0.4s`, `12s`, `5m`, `3h`, `4d`.
    private static func span(_ seconds: Double?) -> String {
        guard let words = seconds.map({ approximate(seconds: $0).split(separator: " ") }) else { return "-" }
        return String(words[0] + words[1].prefix(1))
    }
}

extension QueueReport {
    /// How many jobs all workers together may run.
    var capacity: Int { workers.reduce(0) { $0 + $1.concurrency } }
}

extension QueueReport.LoginRow {
    /// Whether no operator has set a ceiling.
    fileprivate var isUnlimited: Bool { slots == nil && waiting == nil && bestPriority == nil }
}

extension QueueReport.KindRow {
    /// Whether there is nothing to show.
    fileprivate var isIdle: Bool {
        available + running + scheduled + retryable + discarded == 0 && failureShare == nil
    }
}

import Google
import JobQueue
import Logging
import Postgres

extension Governor {
    /// Waits until a call may go out, if that is soon.
    func take(
        _ amount: Int, of quota: QuotaKind, using reservation: QuotaReservation?
    ) async throws(GoogleError) {
        let deadline = ContinuousClock.now + patience
        let reservation = reservation.flatMap { $0.unused.contains(quota) ? $0 : nil }
        if reservation == nil { pools[quota, default: QuotaPool()].waiting += amount }
        defer { if reservation == nil { pools[quota]?.waiting -= amount } }
        while true {
            let now = ContinuousClock.now
            let pool = pools[quota, default: QuotaPool()]
            if pool.available(at: now, isReserved: reservation != nil) >= amount {
                pools[quota]?.use(amount)
                if let reservation {
                    reservation.use(quota)
                    pools[quota]?.reserved -= 1
                }
                return
            }
            if let until = pool.shortUntil, now < until {
                guard until <= deadline else { throw Self.short(quota, until - now) }
                do { try await Task.sleep(until: until) } catch { throw GoogleError(.cancelled, retry: .backoff) }
            } else {
                guard now <= deadline else { throw Self.short(quota, .milliseconds(100)) }
                do { try await ask(for: quota, wanted: amount) } catch {
                    throw GoogleError(
                        .waiting, message: "The quota could not be asked for: \(error)", retry: .wait(.seconds(1)))
                }
            }
        }
    }

    /// Takes what so many more jobs need for their first calls, as far as there is any.
    func fill(_ quota: QuotaKind, for jobs: Int) async {
        let pool = pools[quota, default: QuotaPool()]
        guard pool.free(at: .now) < jobs, !pool.isShort(at: .now) else { return }
        // Never much of the quota, for there may be no job to use it and other workers that wait for it.
        let most = max(1, settings.limits(of: quota).user / 10)
        try? await ask(for: quota, wanted: min(jobs, most))
    }

    /// Asks the ledger once for all who wait, and for so much beside.
    private func ask(for quota: QuotaKind, wanted: Int) async throws {
        if let asking = asking[quota] { return try await asking.value }
        let task = Task {
            defer { asking[quota] = nil }
            let pool = pools[quota, default: QuotaPool()]
            // A small part of the quota at least, so that one with large quotas does not ask for each call.
            let batch = settings.limits(of: quota).user / 600
            let wanted = max(pool.reserved + pool.waiting + wanted, batch)
            let asked = ContinuousClock.now
            let rest = pools[quota]?.drain(at: asked)
            let grant = try await ledger.take(wanted, of: quota, returning: rest)
            pools[quota, default: QuotaPool()].take(grant, askedAt: asked, now: .now)
            if grant.amount > 0 { returnLater(grant.at, of: quota) }
        }
        asking[quota] = task
        try await task.value
    }

    /// Gives back in time what nobody used, or the other workers would wait for it in vain.
    private func returnLater(_ grantedAt: Double, of quota: QuotaKind) {
        Task {
            try? await Task.sleep(for: settings.slack)
            guard pools[quota]?.grantedAt == grantedAt,
                let rest = pools[quota]?.drain(at: .now, onlyFree: true)
            else { return }
            await tell { ledger throws(PostgresError) in try await ledger.giveBack(rest, of: quota) }
        }
    }

    /// Takes over what Google says of a quota that ran out; returns for how long nothing is free.
    func learn(from error: GoogleError, about resource: GoogleResource) async -> Duration {
        var pause = settings.window / 60
        if case .after(let asked) = error.retry {
            // Where Google names the window's beginning, the wait is counted for one of a minute.
            pause = error.quota?.windowStart == nil ? asked : asked - (.seconds(60) - settings.window)
        }
        pause = max(pause, .milliseconds(50))
        guard let quota = resource.costs.first?.quota else { return pause }
        pools[quota, default: QuotaPool()].close(until: .now + pause)
        logger.warning(
            "Google's quota is used up",
            metadata: [
                "quota": "\(error.quota?.name ?? quota.rawValue)", "allowed": "\(error.quota?.value ?? 0)",
                "pause": "\(pause)",
            ])
        // What Google counts of Drive may be calls, as it was once.
        let allowed = quota == .driveUnits ? nil : error.quota?.value
        let began = error.quota?.windowStart.map { Double($0.milliseconds) / 1000 }
        let (isPerUser, length) = (error.quota?.isPerUser ?? true, pause)
        await tell { ledger throws(PostgresError) in
            try await ledger.markExhausted(quota, isPerUser: isPerUser, allowed: allowed, began: began, pause: length)
        }
        return pause
    }

    private static func short(_ quota: QuotaKind, _ pause: Duration) -> GoogleError {
        GoogleError(
            .waiting, message: "The quota \(quota.rawValue) is used up for the moment.",
            retry: .wait(max(pause, .milliseconds(50))))
    }

    /// Writes what other workers and people are to know; the work goes on without.
    func tell(_ body: (QuotaLedger) async throws(PostgresError) -> Void) async {
        do throws(PostgresError) { try await body(ledger) } catch {
            logger.debug("the state of Google's services was not written: \(error)")
        }
    }
}

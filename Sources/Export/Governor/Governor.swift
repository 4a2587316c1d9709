public import Google
public import JobQueue
public import Logging
import Postgres

/// Keeps this worker's calls within Google's quotas, and away from services that fail.
///
/// Quotas are shared with the other workers through Postgres; whether a service is down each worker finds out by itself, and
/// says so there for people. A call that would wait for long is refused, so that its job goes back to the queue without
/// costing an attempt, and no more jobs of its kind are claimed than could begin.
public actor Governor {
    /// What a job of each kind needs before it is worth claiming.
    private static let needs: [String: [GoogleResource]] = [
        "export": [.identity, .drive, .sheetsWrite], "format": [.identity, .sheetsWrite],
        "folder": [.identity, .drive],
    ]

    private let ledger: QuotaLedger
    private let settings: QuotaSettings
    private let patience: Duration
    private let breakerPolicy: Breaker.Policy
    private let logger: Logger
    private var pools: [GoogleResource: QuotaPool] = [:]
    private var asking: [GoogleResource: Task<Void, any Error>] = [:]
    private var breakers: [String: Breaker] = [:]
    /// Why each service is not called at the moment.
    private var reasons: [String: String] = [:]
    /// The services that this process has seen working; before, an earlier one may have left word that they fail.
    private var proven: Set<String> = []

    /// Makes a governor.
    ///
    /// - Parameters:
    ///   - patience: how long a call waits in place for a quota, before its job goes back to the queue.
    public init(
        ledger: QuotaLedger, settings: QuotaSettings, patience: Duration = .seconds(2),
        breaker: Breaker.Policy = Breaker.Policy(), logger: Logger
    ) {
        self.ledger = ledger
        self.settings = settings
        self.patience = patience
        breakerPolicy = breaker
        self.logger = logger
    }
}

extension Governor {
    /// What a kind of job needs of Google before it begins, in the names of `breaker` and `quota` in the database.
    public static func needs(ofKind kind: String) -> Explanation.Needs {
        let resources = needs[kind] ?? []
        return Explanation.Needs(
            services: resources.map(\.service), quotas: resources.map(\.rawValue))
    }
}

extension Governor: CallGate {
    /// Waits for the quota, if it is free soon and the service is not known to be down.
    public func admit(_ resource: GoogleResource) async throws(GoogleError) {
        if case .closed(let pause) = breaker(of: resource).admission(at: .now) { throw closed(resource, pause) }
        if resource == .sheetsRead || resource == .sheetsWrite { try await takeQuota(of: resource) }
        // Only now, because a trial that waited for quota would keep others from theirs.
        if case .closed(let pause)? = breakers[resource.service]?.begin(at: .now) {
            throw closed(resource, pause)
        }
    }

    /// Learns of faults and quotas; an error that is not the call's own fault becomes a wait.
    public func settle(_ resource: GoogleResource, _ error: GoogleError?) async -> GoogleError? {
        let service = resource.service
        guard var error, !hasAnswered(error) else {
            let wasOpen = breakers.removeValue(forKey: service)?.isClosed == false
            reasons[service] = nil
            if wasOpen { logger.notice("\(service) works again") }
            let isNew = proven.insert(service).inserted
            if wasOpen {
                await tell { ledger throws(PostgresError) in try await ledger.close(resource) }
            } else if isNew {
                // Beside the call: what another process left behind is no reason to hold this one up.
                Task { await tell { ledger throws(PostgresError) in try await ledger.close(resource) } }
            }
            return error
        }
        switch error.code {
        case .cancelled: breakers[service]?.abandon()
        case .waiting: break
        case .rateLimited where namesTime(error):
            breakers[service]?.abandon()
            error.retry = .wait(await learn(from: error, about: resource))
        default:
            // An exchange for a token has been tried several times already, and nothing works without one. Who is refused for
            // his rate without being told for how long waits longer each time.
            let isCertain = error.code.concernsInstallation || resource == .identity || error.code == .rateLimited
            var breaker = breaker(of: resource)
            let pause = breaker.fail(at: .now, isCertain: isCertain)
            breakers[service] = breaker
            guard let pause else { return error }
            logger.warning(
                "\(service) fails; no calls for now",
                metadata: ["pause": "\(pause)", "code": "\(error.code.rawValue)", "error": "\(error)"])
            let reason = error.description
            reasons[service] = reason
            await tell { ledger throws(PostgresError) in try await ledger.open(resource, reason: reason, pause: pause) }
            error.retry = .wait(pause)
        }
        return error
    }

    private func namesTime(_ error: GoogleError) -> Bool {
        if case .after = error.retry { true } else { error.quota != nil }
    }

    private func closed(_ resource: GoogleResource, _ pause: Duration) -> GoogleError {
        let service = resource.service
        return GoogleError(
            .waiting, message: "\(service) is not called for now, because it failed: \(reasons[service] ?? "")",
            retry: .wait(pause))
    }

    /// Whether the service did its part: the fault is the request's.
    private func hasAnswered(_ error: GoogleError) -> Bool {
        switch error.code {
        case .cancelled, .waiting, .rateLimited: false
        default: !error.code.isFaultOfService && !error.code.concernsInstallation
        }
    }

    private func breaker(of resource: GoogleResource) -> Breaker {
        breakers[resource.service] ?? Breaker(policy: breakerPolicy)
    }
}

extension Governor: Admission {
    /// How many jobs of each kind could begin, as far as is known without asking; asks the ledger where the quota is short.
    public func openings(slots: Int) async -> Openings {
        var openings = Openings()
        for (kind, resources) in Self.needs {
            var limit = slots
            for resource in resources {
                let (most, pause) = await room(for: slots, of: resource)
                limit = min(limit, most)
                if most == 0 { openings.reopensIn = min(openings.reopensIn ?? pause, pause) }
            }
            if limit < slots { openings.limits[kind] = limit }
        }
        return openings
    }

    private func room(for slots: Int, of resource: GoogleResource) async -> (most: Int, pause: Duration) {
        let breaker = breaker(of: resource)
        if case .closed(let pause) = breaker.admission(at: .now) { return (0, pause) }
        // One trial is enough to see whether it works again.
        if !breaker.isClosed { return (1, .milliseconds(200)) }
        guard let known = pools[resource], known.isScarce else { return (slots, .zero) }
        // Never much of the quota, for there may be no job to use it and other workers that wait for it.
        if known.step(at: .now) == .ask { try? await ask(for: resource, atLeast: min(slots, share(of: resource))) }
        guard let pool = pools[resource] else { return (slots, .zero) }
        return (min(slots, pool.available(at: .now)), pool.pause(at: .now))
    }
}

extension Governor {
    private func takeQuota(of resource: GoogleResource) async throws(GoogleError) {
        let deadline = ContinuousClock.now + patience
        pools[resource, default: QuotaPool()].waiting += 1
        defer { pools[resource]?.waiting -= 1 }
        while true {
            switch pools[resource, default: QuotaPool()].step(at: .now) {
            case .go:
                pools[resource]?.use()
                return
            case .wait(let until) where until > deadline: throw Self.short(resource, until - .now)
            case .wait(let until):
                do { try await Task.sleep(until: until) } catch { throw GoogleError(.cancelled, retry: .backoff) }
            case .ask:
                do { try await ask(for: resource, atLeast: 1) } catch {
                    throw GoogleError(
                        .waiting, message: "The quota could not be asked for: \(error)", retry: .wait(.seconds(1)))
                }
            }
            if ContinuousClock.now > deadline { throw Self.short(resource, .milliseconds(100)) }
        }
    }

    /// Asks the ledger once for all who wait.
    private func ask(for resource: GoogleResource, atLeast wanted: Int) async throws {
        if let asking = asking[resource] { return try await asking.value }
        let task = Task {
            defer { asking[resource] = nil }
            let pool = pools[resource, default: QuotaPool()]
            let wanted = max(wanted, pool.waiting, batch(of: resource))
            let asked = ContinuousClock.now
            let unused = pools[resource]?.drain()
            let grant = try await ledger.take(wanted, of: resource, returning: unused)
            pools[resource, default: QuotaPool()].take(
                grant, wanted: wanted, askedAt: asked, now: .now, lifetime: settings.slack)
            if let number = grant.number { returnLater(number, of: resource) }
        }
        asking[resource] = task
        try await task.value
    }

    /// A small part of the quota, so that a worker with large ones does not ask for each call.
    private func batch(of resource: GoogleResource) -> Int { max(1, limit(of: resource) / 600) }

    /// What a worker takes at once for jobs that it is about to claim.
    private func share(of resource: GoogleResource) -> Int { max(1, limit(of: resource) / 10) }

    private func limit(of resource: GoogleResource) -> Int {
        resource == .sheetsWrite ? settings.sheetsWritesPerUser : settings.sheetsReadsPerUser
    }

    /// Gives back in time what nobody used, or the other workers would wait for it in vain.
    private func returnLater(_ grant: Int, of resource: GoogleResource) {
        Task {
            try? await Task.sleep(for: settings.slack)
            guard pools[resource]?.unused?.grant == grant, let unused = pools[resource]?.drain() else { return }
            await tell { ledger throws(PostgresError) in try await ledger.giveBack(unused.amount, of: unused.grant) }
        }
    }

    /// Takes over what Google says of a quota that ran out; returns for how long nothing is free.
    private func learn(from error: GoogleError, about resource: GoogleResource) async -> Duration {
        var pause = settings.window / 60
        if case .after(let asked) = error.retry {
            // Where Google names the window's beginning, the wait is counted for one of a minute.
            pause = error.quota?.windowStart == nil ? asked : asked - (.seconds(60) - settings.window)
        }
        pause = max(pause, .milliseconds(50))
        guard resource == .sheetsRead || resource == .sheetsWrite else { return pause }
        pools[resource, default: QuotaPool()].close(until: .now + pause)
        logger.warning(
            "Google's quota is used up",
            metadata: [
                "quota": "\(error.quota?.name ?? resource.rawValue)", "allowed": "\(error.quota?.value ?? 0)",
                "pause": "\(pause)",
            ])
        let (isPerUser, allowed, length) = (error.quota?.isPerUser ?? true, error.quota?.value, pause)
        await tell { ledger throws(PostgresError) in
            try await ledger.close(resource, isPerUser: isPerUser, allowed: allowed, pause: length)
        }
        return pause
    }

    private static func short(_ resource: GoogleResource, _ pause: Duration) -> GoogleError {
        GoogleError(
            .waiting, message: "The quota \(resource.rawValue) is used up for the moment.",
            retry: .wait(max(pause, .milliseconds(50))))
    }

    /// Writes what other workers and people are to know; the work goes on without.
    private func tell(_ body: (QuotaLedger) async throws(PostgresError) -> Void) async {
        do throws(PostgresError) { try await body(ledger) } catch {
            logger.debug("the state of Google's services was not written: \(error)")
        }
    }
}

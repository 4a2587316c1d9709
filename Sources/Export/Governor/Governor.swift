public import Google
public import Logging
import Postgres

/// Keeps this worker's calls as one identity within Google's quotas, and away from services that fail.
///
/// Quotas are shared with the other workers through Postgres; whether a service is down each worker finds out by itself, and
/// says so there for people. For each job that is claimed its first calls are reserved, so that no more begin than may make
/// them. A call that would wait for long is refused, so that its job goes back to the queue without costing an attempt.
public actor Governor {
    /// The kinds of jobs that need Google.
    static var kinds: [String] { needs.keys.sorted() }

    /// What a job of each kind needs before it is worth claiming.
    private static let needs: [String: [GoogleResource]] = [
        "export": [.identity, .driveCreate, .sheetsWrite], "format": [.identity, .sheetsWrite],
        "folder": [.identity, .driveWrite],
    ]

    let ledger: QuotaLedger
    let settings: QuotaSettings
    let patience: Duration
    let logger: Logger
    private let answers: @Sendable (APIRequest.Service) async -> Bool
    private let breakerPolicy: Breaker.Policy
    var pools: [QuotaKind: QuotaPool] = [:]
    var asking: [QuotaKind: Task<Void, any Error>] = [:]
    /// The kinds of which there were jobs at the last look.
    ///
    /// Of the others one may begin without a reservation, so that an idle queue costs no quota.
    private var busyKinds: Set<String> = []
    private var breakers: [String: Breaker] = [:]
    /// Why each service is not called at the moment.
    private var reasons: [String: String] = [:]
    private var isSigningIn = false
    /// The services that this process has seen working; before, an earlier one may have left word that they fail.
    private var proven: Set<String> = []

    /// Makes a governor.
    ///
    /// - Parameters:
    ///   - patience: how long a call waits in place for a quota, before its job goes back to the queue.
    ///   - answers: asks a service something harmless past this governor, where a trial failed: if that is answered, the fault
    ///     may be the job's, which then pays for it with an attempt.
    public init(
        ledger: QuotaLedger, settings: QuotaSettings, patience: Duration = .seconds(2),
        breaker: Breaker.Policy = Breaker.Policy(), logger: Logger,
        answers: @escaping @Sendable (APIRequest.Service) async -> Bool = { _ in false }
    ) {
        self.ledger = ledger
        self.settings = settings
        self.patience = patience
        breakerPolicy = breaker
        self.answers = answers
        self.logger = logger
    }
}

extension Governor {
    /// What a kind of job needs of Google before it begins, in the names that breakers and quotas have in the database.
    static func needs(ofKind kind: String) -> (services: [String], quotas: [String]) {
        let resources = needs[kind] ?? []
        return (resources.map(\.service), resources.flatMap { $0.costs.map(\.quota.rawValue) })
    }
}

extension Governor: CallGate {
    /// Waits for the quota, if it is free soon and the service is not known to be down.
    public func admit(_ resource: GoogleResource) async throws(GoogleError) { try await admit(resource, using: nil) }

    /// Waits as `admit` does; a job's first calls use what is reserved for them.
    func admit(_ resource: GoogleResource, using reservation: QuotaReservation?) async throws(GoogleError) {
        if case .blocked(let pause) = breaker(of: resource).permit(at: .now) { throw blocked(resource, pause) }
        for cost in resource.costs { try await take(cost.amount, of: cost.quota, using: reservation) }
        // Only now, because a trial that waited for quota would keep others from theirs.
        if case .blocked(let pause)? = breakers[resource.service]?.begin(at: .now) {
            throw blocked(resource, pause)
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
                await tell { ledger throws(PostgresError) in try await ledger.closeBreaker(of: resource) }
            } else if isNew {
                // Beside the call: what another process left behind is no reason to hold this one up.
                Task { await tell { ledger throws(PostgresError) in try await ledger.closeBreaker(of: resource) } }
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
            let wasTrial = breaker.isTried
            let pause = breaker.fail(at: .now, isCertain: isCertain)
            breakers[service] = breaker
            guard let pause else { return error }
            logger.warning(
                "\(service) fails; no calls for now",
                metadata: ["pause": "\(pause)", "code": "\(error.code.rawValue)", "error": "\(error)"])
            let reason = error.description
            reasons[service] = reason
            await tell { ledger throws(PostgresError) in
                try await ledger.openBreaker(of: resource, reason: reason, pause: pause)
            }
            // A job that is alone with its fault would else be the trial for ever.
            if wasTrial, !isCertain, let service = resource.api, await answers(service) { return error }
            error.retry = .wait(pause)
        }
        return error
    }

    private func namesTime(_ error: GoogleError) -> Bool {
        if case .after = error.retry { true } else { error.quota != nil }
    }

    private func blocked(_ resource: GoogleResource, _ pause: Duration) -> GoogleError {
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

    func breaker(of resource: GoogleResource) -> Breaker {
        breakers[resource.service] ?? Breaker(policy: breakerPolicy)
    }
}

extension Governor {
    /// How many more jobs of a kind may begin, and when to ask again where none may.
    func room(forKind kind: String, slots: Int) async -> (most: Int, pause: Duration) {
        var most = slots
        for resource in Self.needs[kind] ?? [] {
            let breaker = breaker(of: resource)
            if case .blocked(let pause) = breaker.permit(at: .now) { return (0, pause) }
            // One trial is enough to see whether it works again.
            if !breaker.isClosed { most = min(most, 1) }
        }
        let isBusy = busyKinds.contains(kind)
        for quota in Self.firstCalls(ofKind: kind) {
            if isBusy { await fill(quota, for: most) }
            let pool = pools[quota, default: QuotaPool()]
            let free = pool.free(at: .now)
            // Where nothing is known, the job that finds out.
            most = min(most, isBusy || pool.isShort(at: .now) ? max(free, 0) : max(free, 1))
            if most == 0 { return (0, pool.pause(at: .now)) }
        }
        return (most, most == 0 ? .milliseconds(200) : .zero)
    }

    /// Whether Google gave no token the last time that it was asked for one.
    var isRefused: Bool { !breaker(of: .identity).isClosed }

    /// Lets a token be asked for where nobody has yet, or where the last one was refused some time ago.
    func trySignIn(_ signIn: @escaping @Sendable () async -> Void) {
        let isDue =
            isRefused
            ? breaker(of: .identity).permit(at: .now) == .allowed : !proven.contains(GoogleResource.identity.service)
        guard isDue, !isSigningIn else { return }
        isSigningIn = true
        Task {
            await signIn()
            isSigningIn = false
        }
    }

    /// Whether another job may begin, from bad to good.
    enum Standing: Int, Comparable {
        case failing, short, free

        static func < (one: Standing, other: Standing) -> Bool { one.rawValue < other.rawValue }
    }

    /// Whether this identity can begin another job, as far as is known.
    func standing(forKind kind: String) -> Standing {
        guard (Self.needs[kind] ?? []).allSatisfy({ breaker(of: $0).isClosed }) else { return .failing }
        return Self.firstCalls(ofKind: kind).allSatisfy { pools[$0, default: QuotaPool()].free(at: .now) > 0 }
            ? .free : .short
    }

    /// Notes whether the last claim found jobs of a kind.
    func note(kind: String, hasJobs: Bool) {
        if hasJobs { busyKinds.insert(kind) } else { busyKinds.remove(kind) }
    }

    /// Reserves the first calls of a job that was claimed.
    func reserve(forKind kind: String) -> QuotaReservation {
        let quotas = Self.firstCalls(ofKind: kind)
        for quota in quotas { pools[quota, default: QuotaPool()].reserved += 1 }
        return QuotaReservation(quotas)
    }

    /// Takes back what a job did not use.
    func release(_ reservation: QuotaReservation) {
        for quota in reservation.unused {
            reservation.use(quota)
            pools[quota]?.reserved -= 1
        }
    }

    private static func firstCalls(ofKind kind: String) -> Set<QuotaKind> {
        // Units of Drive are many, and which calls a job needs is not known before.
        Set((needs[kind] ?? []).flatMap { $0.costs.map(\.quota) }).subtracting([.driveUnits])
    }
}

public import JSON
public import JobQueue
import Synchronization

/// Those as whom an installation works at Google: each job goes to the one that has most room, and stays with it.
///
/// A spreadsheet may lie where only its maker sees it. So a job that has begun, and one for a spreadsheet that was made here,
/// goes to who began or made it, as long as that identity is still one of these.
public final class Identities: Sendable {
    private struct Assignment {
        let identity: Identity
        let reservation: QuotaReservation
    }

    private struct State {
        /// Who does each job that was claimed, by the number of its lease.
        var assignments: [Int: Assignment] = [:]
        /// How many jobs each account has.
        var loads: [String: Int] = [:]
        /// Who is asked first for the next job, so that nobody always is.
        var first = 0
    }

    /// Each of them.
    let all: [Identity]
    private let state = Mutex(State())

    /// Makes a group of one or more.
    public init(_ all: [Identity]) {
        precondition(!all.isEmpty, "somebody has to do the work")
        self.all = all.map { identity in
            var identity = identity
            identity.isOneOfSeveral = all.count > 1
            return identity
        }
    }

    /// Who does a job, with what is reserved for it; the first one does a job that was given to nobody.
    func identity(for job: Job) -> Identity {
        guard let assignment = state.withLock({ $0.assignments[job.leaseNumber] }) else { return all[0] }
        return assignment.identity.using(assignment.reservation)
    }

    /// Whose job it is already, or of those who can begin one now the one with the fewest.
    private func identity(for job: Job, madeBy maker: String?) async -> Identity {
        if let known = all.first(where: { $0.account == job.identity ?? maker }) {
            // Others may have been given the spreadsheet too; where not, the job comes back to this one.
            guard job.target != nil, IdentityFallback.isFresh(job), await known.governor.isRefused else { return known }
        }
        guard all.count > 1 else { return all[0] }
        let (loads, first) = state.withLock { ($0.loads, $0.first) }
        var best: (identity: Identity, standing: Governor.Standing, load: Int)?
        for identity in all[first...] + all[..<first] {
            let standing = await identity.governor.standing(forKind: job.kind)
            let load = loads[identity.account] ?? 0
            if let best, (best.standing, -best.load) >= (standing, -load) { continue }
            best = (identity, standing, load)
        }
        return best?.identity ?? all[0]
    }
}

extension Identities {
    /// Those whom Google gives tokens; of several the others sign in beside the jobs, which they would only hold up.
    private func signedIn(_ identities: ArraySlice<Identity>) async -> [Identity] {
        guard identities.count > 1 else { return Array(identities) }
        var able: [Identity] = []
        for identity in identities {
            await identity.trySignIn()
            if await !identity.governor.isRefused { able.append(identity) }
        }
        return able
    }
}

extension Identities: AdmissionControl {
    /// How many jobs of each kind could begin, with all identities together.
    public func capacity(for slots: Int) async -> Capacity {
        var capacity = Capacity()
        let first = state.withLock { $0.first }
        let able = await signedIn(all[first...] + all[..<first])
        for kind in Governor.kinds {
            var sum = 0
            var pause = Duration.seconds(able.isEmpty ? 1 : 3600)
            for identity in able where sum < slots {
                let room = await identity.governor.room(forKind: kind, slots: slots - sum)
                sum += room.most
                if room.most == 0 { pause = min(pause, room.pause) }
            }
            if sum < slots { capacity.limits[kind] = sum }
            if sum == 0 { capacity.checkAgainIn = min(capacity.checkAgainIn ?? pause, pause) }
        }
        return capacity
    }

    /// Gives each job to an identity, and reserves its first calls there.
    public func claimed(_ jobs: [Job], within capacity: Capacity) async {
        for kind in Governor.kinds where capacity.limits[kind] != 0 {
            let hasJobs = jobs.contains { $0.kind == kind }
            for identity in all { await identity.governor.note(kind: kind, hasJobs: hasJobs) }
        }
        let targets = all.count > 1 ? jobs.filter { $0.identity == nil }.compactMap(\.target) : []
        let makers = targets.isEmpty ? [:] : await all[0].makers(of: targets)
        for job in jobs where Governor.kinds.contains(job.kind) {
            let identity = await identity(for: job, madeBy: job.target.flatMap { makers[$0] })
            let reservation = await identity.governor.reserve(forKind: job.kind)
            state.withLock { state in
                state.assignments[job.leaseNumber] = Assignment(identity: identity, reservation: reservation)
                state.loads[identity.account, default: 0] += 1
                state.first = (state.first + 1) % all.count
            }
        }
    }

    /// Runs a job and takes back what it did not use of its reservation.
    public func run(_ job: Job, _ work: () async throws -> JSON) async throws -> JSON {
        let outcome: Result<JSON, any Error>
        do { outcome = .success(try await work()) } catch { outcome = .failure(error) }
        let assignment = state.withLock { state in
            let assignment = state.assignments.removeValue(forKey: job.leaseNumber)
            if let assignment { state.loads[assignment.identity.account, default: 0] -= 1 }
            return assignment
        }
        if let assignment { await assignment.identity.governor.release(assignment.reservation) }
        return try outcome.get()
    }
}

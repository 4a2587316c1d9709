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
        let place: QuotaPlace
    }

    private let all: [Identity]
    /// The jobs that run, by their numbers.
    private let assignments = Mutex<[Int: Assignment]>([:])

    /// Makes a group of one or more.
    public init(_ all: [Identity]) {
        precondition(!all.isEmpty, "somebody has to do the work")
        self.all = all.map { identity in
            var identity = identity
            identity.isOneOfSeveral = all.count > 1
            return identity
        }
    }

    private func identity(for job: Job) async -> Identity {
        if let known = all.first(where: { $0.account == job.identity }) { return known }
        var (best, most) = (all[0], Int.min)
        guard all.count > 1 else { return best }
        for identity in all {
            let room = await identity.governor.standing(forKind: job.kind)
            if room > most { (best, most) = (identity, room) }
        }
        return best
    }
}

extension Identities: Admission {
    /// How many jobs of each kind could begin, with all identities together.
    public func openings(slots: Int) async -> Openings {
        var openings = Openings()
        for kind in Governor.kinds {
            var sum = 0
            var pause = Duration.seconds(3600)
            for identity in all where sum < slots {
                let room = await identity.governor.room(forKind: kind, slots: slots - sum)
                sum += room.most
                if room.most == 0 { pause = min(pause, room.pause) }
            }
            if sum < slots { openings.limits[kind] = sum }
            if sum == 0 { openings.reopensIn = min(openings.reopensIn ?? pause, pause) }
        }
        return openings
    }

    /// Gives each job to an identity, and sets its first calls aside there.
    public func claimed(_ jobs: [Job], within openings: Openings) async {
        for kind in Governor.kinds where openings.limits[kind] != 0 {
            let hasJobs = jobs.contains { $0.kind == kind }
            for identity in all { await identity.governor.note(kind: kind, hasJobs: hasJobs) }
        }
        for job in jobs where Governor.kinds.contains(job.kind) {
            let identity = await identity(for: job)
            let place = await identity.governor.setAside(forKind: job.kind)
            assignments.withLock { $0[job.id] = Assignment(identity: identity, place: place) }
        }
    }

    /// Lets a job be done by its identity.
    public func run(_ job: Job, _ work: () async throws -> JSON) async throws -> JSON {
        guard let assignment = assignments.withLock({ $0.removeValue(forKey: job.id) }) else {
            return try await work()
        }
        let outcome: Result<JSON, any Error>
        do {
            outcome = .success(
                try await Identity.$current.withValue(assignment.identity) {
                    try await Identity.$place.withValue(assignment.place) { try await work() }
                })
        } catch { outcome = .failure(error) }
        await assignment.identity.governor.giveUp(assignment.place)
        return try outcome.get()
    }
}

public import JSON

/// Says how many jobs of each kind may begin at the moment.
///
/// The worker asks before each claim, so that a job that would only wait (for quota, for a service that is down) stays in
/// the queue, where it costs no attempt and holds no slot.
public protocol Admission: Sendable {
    /// How many jobs of each kind may be claimed now.
    ///
    /// - Parameter slots: How many the worker has room for.
    func openings(slots: Int) async -> Openings

    /// Is told of the jobs that were claimed upon some openings, before any of them begins; each of them is run.
    func claimed(_ jobs: [Job], within openings: Openings) async

    /// Runs a job that was claimed.
    func run(_ job: Job, _ work: () async throws -> JSON) async throws -> JSON
}

extension Admission {
    /// Takes no note of them.
    public func claimed(_ jobs: [Job], within openings: Openings) async {}

    /// Runs it as it is.
    public func run(_ job: Job, _ work: () async throws -> JSON) async throws -> JSON { try await work() }
}

/// How many jobs of each kind may be claimed.
public struct Openings: Sendable, Equatable {
    /// The most jobs by kind; a kind that is not named is open.
    public var limits: [String: Int]
    /// When to ask again; nil where nothing is closed.
    public var reopensIn: Duration?

    /// Makes openings.
    public init(limits: [String: Int] = [:], reopensIn: Duration? = nil) {
        self.limits = limits
        self.reopensIn = reopensIn
    }
}

public import JSON

/// Says how many jobs of each kind may begin at the moment.
///
/// The worker asks before each claim, so that a job that would only wait (for something scarce, for a service that is down)
/// stays in the queue, where it costs no attempt and holds no slot.
public protocol AdmissionControl: Sendable {
    /// How many jobs of each kind may be claimed now.
    ///
    /// - Parameter slots: How many the worker can run.
    func capacity(for slots: Int) async -> Capacity

    /// Is told of the jobs that were claimed within a capacity, before any of them begins; each of them is run.
    func claimed(_ jobs: [Job], within capacity: Capacity) async

    /// Runs a job that was claimed.
    func run(_ job: Job, _ work: () async throws -> JSON) async throws -> JSON
}

extension AdmissionControl {
    /// Takes no note of them.
    public func claimed(_ jobs: [Job], within capacity: Capacity) async {}

    /// Runs it as it is.
    public func run(_ job: Job, _ work: () async throws -> JSON) async throws -> JSON { try await work() }
}

/// How many jobs of each kind may be claimed.
public struct Capacity: Sendable, Equatable {
    /// The most jobs by kind; a kind that is not named has no limit.
    public var limits: [String: Int]
    /// When to ask again; nil where nothing is limited.
    public var checkAgainIn: Duration?

    /// Makes a capacity.
    public init(limits: [String: Int] = [:], checkAgainIn: Duration? = nil) {
        self.limits = limits
        self.checkAgainIn = checkAgainIn
    }
}

/// What keeps jobs waiting outside of the queue, as the module that runs them tells it.
public struct ExternalCauses: Sendable {
    /// What fails, the one that failed first at first.
    public var failures: [Explanation.Cause]
    /// What is used up for the moment and comes back by itself.
    public var limits: [Explanation.Cause]

    /// Makes the causes; their words are clauses that fit behind "because".
    public init(failures: [Explanation.Cause] = [], limits: [Explanation.Cause] = []) {
        self.failures = failures
        self.limits = limits
    }
}

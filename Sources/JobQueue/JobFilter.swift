/// Which jobs to list; nil lets all pass.
public struct JobFilter: Sendable {
    /// The state.
    public var state: String?
    /// The kind.
    public var kind: String?
    /// The producer's label.
    public var owner: String?
    /// The code of the last failed attempt.
    public var code: String?
    /// Only those that ended, or where they have not, were enqueued, in the last so many seconds.
    public var seconds: Double?

    /// Makes a filter that lets all jobs pass.
    public init() {}
}

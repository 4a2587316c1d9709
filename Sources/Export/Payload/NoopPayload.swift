public import JSON

/// The payload of a job of kind `noop`, which does nothing but take its time: to try the queue.
public struct NoopPayload: Sendable, Hashable {
    /// How long the job takes, in milliseconds.
    public let sleepMilliseconds: Int

    /// The longest that a job may take, in milliseconds.
    static let longest = 60_000

    /// Reads a payload.
    public init(_ json: JSON) throws(PayloadError) {
        let object = try PayloadObject(json, at: "", names: ["sleep_ms"])
        let sleep = try object.integer("sleep_ms") ?? 0
        guard (0...Self.longest).contains(sleep) else {
            throw PayloadError(at: "sleep_ms", "expected 0 to \(Self.longest) milliseconds")
        }
        sleepMilliseconds = sleep
    }
}

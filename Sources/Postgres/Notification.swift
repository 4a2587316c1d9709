/// A message by NOTIFY.
public struct Notification: Sendable, Hashable {
    /// The channel it was sent to.
    public let channel: String
    /// Its text, at most 8,000 bytes.
    public let payload: String
}

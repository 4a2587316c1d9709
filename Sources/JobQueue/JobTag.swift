/// Names a job outside of the queue: its number and a random part that no other job ever has.
///
/// A number alone comes again where old jobs were removed and the database's sequence began anew, as after a restore.
public struct JobTag: Sendable, Hashable {
    /// The job's number.
    public let number: Int
    private let random: String

    init(number: Int, uid: String) {
        self.number = number
        random = String(uid.prefix(8))
    }

    /// Reads a tag from the text that `description` gives; nil for any other text.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "-")
        guard parts.count == 2, let number = Int(parts[0]) else { return nil }
        self.number = number
        random = String(parts[1])
    }
}

extension JobTag: CustomStringConvertible, Comparable {
    /// Number and random part, such as `42-9f86d081`.
    public var description: String { "\(number)-\(random)" }

    /// Orders by the number.
    public static func < (one: JobTag, other: JobTag) -> Bool {
        (one.number, one.random) < (other.number, other.random)
    }
}

extension Job {
    /// The job's name outside of the queue.
    public var tag: JobTag { JobTag(number: id, uid: uid) }
}

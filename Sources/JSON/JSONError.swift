/// Why a text is not JSON, and where.
public struct JSONError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What the parser expected or refused, as a part of a sentence.
    public let reason: String
    /// The offset in bytes at which it stopped.
    public let offset: Int

    static let tooManyValues = "there are more values than expected"

    /// Whether the text has more values than were to be read; the rest of it may be JSON.
    public var isTooManyValues: Bool { reason == Self.tooManyValues }

    /// One sentence, without any of the text itself (which may be confidential).
    public var description: String { "not valid JSON: \(reason) at byte \(offset)" }
}

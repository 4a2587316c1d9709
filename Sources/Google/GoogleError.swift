/// Why a call to Google did not give what was asked for, and what to do about it.
///
/// Holds no token, no key and nothing of a request's or an answer's data.
public struct GoogleError: Error, Sendable, Hashable {
    /// Whether and when the same call may succeed.
    public enum Retry: Sendable, Hashable {
        /// Not without a change by a person.
        case never
        /// Soon: wait exponentially longer, with jitter.
        case backoff
        /// Not before this time has passed: Google named it, or a quota's minute has to end.
        case after(Duration)
        /// Not before this time has passed, and not for any fault of this call: it only has to wait its turn.
        case wait(Duration)
        /// In minutes to hours: a daily limit, or a change in a console that has to spread.
        case slowly
    }

    /// What went wrong.
    public let code: Code
    /// One or two sentences for a person: what happened, and what to do.
    public let message: String
    /// Google's own words on one line, shortened, without data of the request; nil where it said none.
    public let googleMessage: String?
    /// The HTTP status; nil where no answer came.
    public let status: Int?
    /// Google's reason, or OAuth's error, as spelled on the wire.
    public let reason: String?
    /// Whether and when the same call may succeed.
    public var retry: Retry
    /// Whether Google may have done what was asked although the call failed.
    public internal(set) var mayHaveTakenEffect: Bool
    /// The quota that ran out, where Google names it.
    public let quota: QuotaLimit?

    /// Makes an error; the message's default is the code's own.
    public init(
        _ code: Code, message: String? = nil, googleMessage: String? = nil, status: Int? = nil, reason: String? = nil,
        retry: Retry, mayHaveTakenEffect: Bool = false, quota: QuotaLimit? = nil
    ) {
        self.code = code
        self.message = message ?? code.message
        self.googleMessage = googleMessage
        self.status = status
        self.reason = reason
        self.retry = retry
        self.mayHaveTakenEffect = mayHaveTakenEffect
        self.quota = quota
    }
}

extension GoogleError {
    /// The same error, which says at which of several steps it came.
    func during(_ step: String) -> GoogleError {
        GoogleError(
            code, message: "\(step): \(message)", googleMessage: googleMessage, status: status, reason: reason,
            retry: retry, mayHaveTakenEffect: mayHaveTakenEffect, quota: quota)
    }
}

extension GoogleError: CustomStringConvertible {
    /// The message, Google's own words, and the status and reason to search for.
    public var description: String {
        let facts = [status.map { "HTTP \($0)" }, reason].compactMap(\.self).joined(separator: ", ")
        // They are the message where nothing else is known.
        let words = googleMessage.map { message.hasSuffix($0) ? "" : " Google says: \($0)" } ?? ""
        return message + words + (facts.isEmpty ? "" : " (\(facts))")
    }
}

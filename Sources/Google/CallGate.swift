/// Stands before every call: lets it go out when it is its turn, and learns from how it ended.
public protocol CallGate: Sendable {
    /// Returns when the call may go out.
    ///
    /// - Throws: `GoogleError` with `retry` set to `.wait`, where that would take too long to hold anything for.
    func admit(_ resource: GoogleResource) async throws(GoogleError)

    /// Takes note of how an admitted call ended; returns the error that the caller is to see.
    func settle(_ resource: GoogleResource, _ error: GoogleError?) async -> GoogleError?
}

/// A gate that lets every call pass at once.
public struct OpenGate: CallGate {
    /// Makes an open gate.
    public init() {}

    /// Returns at once.
    public func admit(_ resource: GoogleResource) async throws(GoogleError) {}

    /// Returns the error as it is.
    public func settle(_ resource: GoogleResource, _ error: GoogleError?) async -> GoogleError? { error }
}

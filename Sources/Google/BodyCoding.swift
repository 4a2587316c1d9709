import HTTP
import HTTPTypes
import Synchronization

/// Whether request bodies go out compressed, and what this process has learned of who takes them so.
///
/// Google's documents promise it for answers alone, so the first refusal of a compressed body is put to the test by sending
/// the same body plain.
final class BodyCoding: Sendable {
    private enum Knowledge { case untried, taken, refused }

    /// A shorter body is on its way in one go anyway: it fits the first flight of a TCP connection.
    private static let shortest = 16 << 10

    private let knowledge: Mutex<Knowledge>

    /// Begins with what is known already: that they are refused, or nothing.
    init(isRefused: Bool = false) { knowledge = Mutex(isRefused ? .refused : .untried) }

    /// The packed form of a body; nil where it goes out as it is.
    func packed(_ body: [UInt8]) -> [UInt8]? {
        guard body.count >= Self.shortest, knowledge.withLock({ $0 != .refused }) else { return nil }
        return Gzip.pack(body)
    }

    /// Whether an answer to a compressed body may be a refusal of its form rather than of what it says.
    func mayRefuse(_ status: HTTPResponse.Status) -> Bool {
        status == .unsupportedMediaType || status == .badRequest && knowledge.withLock { $0 == .untried }
    }

    /// Takes note that a body was understood.
    ///
    /// - Parameter isPacked: whether it was a compressed one; else it was one that had been refused compressed.
    func understood(isPacked: Bool) {
        knowledge.withLock { knowledge in
            if !isPacked { knowledge = .refused } else if knowledge == .untried { knowledge = .taken }
        }
    }
}

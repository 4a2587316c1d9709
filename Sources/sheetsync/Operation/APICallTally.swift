import Google
import HTTPTypes
import Synchronization

/// Counts the calls to Google's interfaces and how long they took.
final class APICallTally: Sendable {
    struct Kind: Hashable {
        let service: String
        let method: String
        /// The HTTP status; `none` where no answer came.
        let status: String
    }

    /// How many calls took at most so long, and the sum of all times in seconds.
    struct Times {
        var counts = [Int](repeating: 0, count: APICallTally.bounds.count + 1)
        var sum = 0.0
    }

    /// The histogram's upper bounds in seconds: Sheets answers in some hundred milliseconds, and gives up after 180 s.
    static let bounds = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 180]

    struct State {
        var calls: [Kind: Int] = [:]
        var times: [String: Times] = [:]
    }

    private let state = Mutex(State())

    var current: State { state.withLock { $0 } }

    func add(_ call: APICall) {
        let service = call.service.rawValue
        let kind = Kind(
            service: service, method: call.method.rawValue, status: call.status.map(String.init) ?? "none")
        let seconds = call.duration / .seconds(1)
        let bucket = Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count
        state.withLock { state in
            state.calls[kind, default: 0] += 1
            state.times[service, default: Times()].counts[bucket] += 1
            state.times[service, default: Times()].sum += seconds
        }
    }
}

import Foundation
import Synchronization
import TestSupport

/// Strikes a daemon at one boundary of its work, once.
final class Trap: Sendable {
    /// What it does to the daemon.
    enum Blow: String, Sendable, CaseIterable {
        /// The process dies by SIGKILL.
        case kill
        /// The connection ends.
        case cut
    }

    /// A boundary: the moment before some request is sent, or after its answer came.
    struct Point: Hashable, Sendable, CustomStringConvertible {
        let request: String
        /// The first, second … request of that name.
        let occurrence: Int
        let moment: Relay.Moment

        var description: String { "\(moment) \(request) #\(occurrence)" }
    }

    private struct State {
        var counts: [Point: Int] = [:]
        var passed: [Point] = []
        var daemon: RunningProgram?
        var hasStruck = false
    }

    private let target: Point?
    private let blow: Blow
    private let state = Mutex(State())

    /// Sets a trap at a boundary, or none and only takes note of the boundaries.
    init(at target: Point?, _ blow: Blow) {
        self.target = target
        self.blow = blow
    }

    /// The boundaries that the daemon came by, in order.
    var passed: [Point] { state.withLock { $0.passed } }
    /// Whether it came by the trap.
    var hasStruck: Bool { state.withLock { $0.hasStruck } }

    /// Says whom to strike.
    func set(for daemon: RunningProgram) { state.withLock { $0.daemon = daemon } }

    /// Takes note of a boundary, on a relay's thread.
    func note(_ request: String, _ moment: Relay.Moment) -> Relay.Verdict {
        let strikes = state.withLock { state in
            let name = Point(request: request, occurrence: 0, moment: moment)
            state.counts[name, default: 0] += 1
            let point = Point(request: request, occurrence: state.counts[name] ?? 0, moment: moment)
            state.passed.append(point)
            guard point == target, !state.hasStruck else { return false }
            state.hasStruck = true
            return true
        }
        guard strikes else { return .pass }
        if blow == .kill { killDaemon() }
        return .cut
    }

    /// Returns when the process is dead, so that it sees nothing of what happens to its connections.
    private func killDaemon() {
        while true {
            if let daemon = state.withLock({ $0.daemon }) {
                daemon.send(SIGKILL)
                if !daemon.isAlive { return }
            }
            Thread.sleep(forTimeInterval: 0.002)
        }
    }
}

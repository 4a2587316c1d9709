import Foundation
import Synchronization

/// One client's connection through a relay: a thread for its requests and one for the answers.
final class RelayConnection: Sendable {
    private struct State {
        var label = ""
        var isFrozen = false
        var isOver = false
        /// The requests whose answers are still to come.
        var awaited: [String] = []
    }

    private let wire: Relay.Wire
    private let client: Socket
    private let server: Socket
    private let hook: Relay.Hook
    private let state = Mutex(State())

    init(_ wire: Relay.Wire, client: Socket, server: Socket, hook: @escaping Relay.Hook) {
        self.wire = wire
        self.client = client
        self.server = server
        self.hook = hook
    }

    var label: String { state.withLock { $0.label } }
    var isFrozen: Bool { state.withLock { $0.isFrozen } }
    var isOver: Bool { state.withLock { $0.isOver } }

    func start() {
        Thread.detachNewThread { self.passRequests() }
        Thread.detachNewThread { self.passAnswers() }
    }

    /// From now on bytes go nowhere.
    func freeze() { state.withLock { $0.isFrozen = true } }

    /// Ends both sides; the threads then end by themselves.
    func end() {
        state.withLock { $0.isOver = true }
        client.shutDown()
        server.shutDown()
    }

    private func passRequests() {
        defer { end() }
        var framing = RequestFraming(wire)
        while let bytes = client.receive() {
            framing.add(bytes)
            while let unit = framing.next() {
                guard stays() else { return }
                switch unit {
                case .refused(let answer):
                    guard client.send(answer) else { return }
                case .aside(let bytes):
                    guard server.send(bytes) else { return }
                case .request(let name, let label, let bytes):
                    if let label { state.withLock { $0.label = label } }
                    guard hook(name, .before) == .pass, stays() else { return }
                    state.withLock { $0.awaited.append(name) }
                    guard server.send(bytes) else { return }
                }
            }
        }
        _ = stays()
    }

    private func passAnswers() {
        defer { end() }
        var framing = AnswerFraming(wire)
        while let bytes = server.receive() {
            framing.add(bytes)
            while let (bytes, isComplete) = framing.next(isAwaited: state.withLock { !$0.awaited.isEmpty }) {
                if isComplete {
                    let name = state.withLock { $0.awaited.removeFirst() }
                    guard stays(), hook(name, .after) == .pass else { return }
                }
                guard stays(), client.send(bytes) else { return }
            }
        }
        _ = stays()
    }

    /// Waits while the connection is frozen; false where it is over.
    private func stays() -> Bool {
        while true {
            let (isFrozen, isOver) = state.withLock { ($0.isFrozen, $0.isOver) }
            if isOver { return false }
            guard isFrozen else { return true }
            Thread.sleep(forTimeInterval: 0.02)
        }
    }
}

import Foundation
import Synchronization

/// A TCP relay on the loopback interface, before a database or an HTTP server.
///
/// It knows where requests and answers end, so that a test can act at each of those boundaries: before a request is passed
/// on, and after its answer came but before that is passed on. It can also cut connections, freeze them (bytes go nowhere
/// while the connection stays open) and refuse new ones. Connections without TLS, databases without passwords.
public final class Relay: Sendable {
    /// What is spoken through it.
    public enum Wire: Sendable { case postgres, http }
    /// Where a request is.
    public enum Moment: String, Sendable, CaseIterable { case before, after }
    /// What becomes of a request or an answer.
    public enum Verdict: Sendable { case pass, cut }
    /// Decides that; runs on a thread of its own and may block.
    public typealias Hook = @Sendable (_ request: String, _ moment: Moment) -> Verdict

    private struct State {
        var listener: Socket?
        var connections: [RelayConnection] = []
        var isStopped = false
        var target: Int
    }

    /// The port that clients connect to.
    public let port: Int
    private let wire: Wire
    private let hook: Hook
    private let state: Mutex<State>

    /// Begins to relay to a port of the loopback interface.
    public init(_ wire: Wire, to target: Int, hook: @escaping Hook = { _, _ in .pass }) throws {
        let listener = try Socket.listening(on: 0)
        port = try listener.port()
        self.wire = wire
        state = Mutex(State(target: target))
        self.hook = hook
        accept(on: listener)
    }

    /// Runs the body with a relay and ends that behind it.
    public static func with<Result>(
        _ wire: Wire, to target: Int, hook: @escaping Hook = { _, _ in .pass }, _ body: (Relay) async throws -> Result
    ) async throws -> Result {
        let relay = try Relay(wire, to: target, hook: hook)
        defer { relay.stop() }
        return try await body(relay)
    }

    /// The labels of the connections that pass something on now: Postgres' `application_name`.
    public var labels: [String] { open.filter { !$0.isFrozen }.map(\.label) }

    /// Lets nothing more pass on the connections that are open now and have a label; new ones are free.
    public func freeze(_ label: String) {
        for connection in open where connection.label == label { connection.freeze() }
    }

    /// Ends all connections that are open now.
    public func cut() { for connection in open { connection.end() } }

    /// Ends all connections and refuses new ones, as a server that is not there.
    public func refuse() {
        state.withLock { state in
            state.listener?.shutDown()
            state.listener = nil
        }
        cut()
    }

    /// Takes connections again.
    public func admit() throws { accept(on: try Socket.listening(on: port)) }

    /// From now on relays new connections to another port, as a name does that leads to another server.
    public func lead(to target: Int) { state.withLock { $0.target = target } }

    /// Ends everything.
    public func stop() {
        state.withLock { $0.isStopped = true }
        refuse()
    }

    /// A port of the loopback interface that nobody listens on at the moment.
    public static func freePort() throws -> Int { try Socket.listening(on: 0).port() }

    /// Whether somebody listens on a port of the loopback interface.
    public static func isListening(on port: Int) -> Bool { (try? Socket.connected(to: port)) != nil }

    private var open: [RelayConnection] {
        state.withLock { state in
            state.connections.removeAll(where: \.isOver)
            return state.connections
        }
    }

    private func accept(on listener: Socket) {
        state.withLock { $0.listener = listener }
        Thread.detachNewThread {
            while let client = listener.accept() {
                guard let server = try? Socket.connected(to: self.state.withLock { $0.target }) else {
                    client.shutDown()
                    continue
                }
                let connection = RelayConnection(self.wire, client: client, server: server, hook: self.hook)
                let isStopped = self.state.withLock { state in
                    state.connections.append(connection)
                    return state.isStopped || state.listener !== listener
                }
                if isStopped { connection.end() }
                connection.start()
            }
        }
    }
}

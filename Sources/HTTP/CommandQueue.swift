import Synchronization

/// A request and the task that waits for it.
struct PendingRequest: Sendable {
    let id: RequestID
    let request: HTTPClient.Request
    let continuation: CheckedContinuation<Result<HTTPClient.Response, HTTPError>, Never>
}

/// What tasks ask of the client's thread.
enum Command: Sendable {
    case start(PendingRequest)
    case cancel(RequestID)
    case ping(CheckedContinuation<Void, Never>)
}

/// The commands on their way from the tasks to the client's thread.
final class CommandQueue: Sendable {
    private struct State {
        var commands: [Command] = []
        /// Kept only while the thread runs, so that libcurl's handle and its connections go with the thread.
        var multi: MultiHandle?
        var isStopping = false
        var hasEnded = false
        var waitingForEnd: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>

    init(wakingUp multi: MultiHandle) { state = Mutex(State(multi: multi)) }

    /// Hands a command to the thread; false when the thread takes no more.
    func submit(_ command: Command) -> Bool {
        state.withLock { state in
            if state.isStopping { return false }
            state.commands.append(command)
            state.multi?.wakeUp()
            return true
        }
    }

    /// Asks the thread to end, and tells the continuation when it has.
    func stop(_ continuation: CheckedContinuation<Void, Never>? = nil) {
        let hasEnded = state.withLock { state in
            state.isStopping = true
            state.multi?.wakeUp()
            if let continuation, !state.hasEnded { state.waitingForEnd.append(continuation) }
            return state.hasEnded
        }
        if hasEnded { continuation?.resume() }
    }

    /// Takes all that came in; for the thread.
    func take() -> (commands: [Command], isStopping: Bool) {
        state.withLock { state in
            defer { state.commands = [] }
            return (state.commands, state.isStopping)
        }
    }

    /// Lets go of the handle; for the thread, before it destroys it.
    func detach() { state.withLock { $0.multi = nil } }

    /// Tells those who wait that the thread is done; for the thread, as its last act.
    func ended() {
        let waiting = state.withLock { state in
            state.hasEnded = true
            defer { state.waitingForEnd = [] }
            return state.waitingForEnd
        }
        for continuation in waiting { continuation.resume() }
    }
}

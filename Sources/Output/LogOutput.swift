import Dispatch
import Synchronization
import SystemPackage

/// Standard error and the journal, which never hold up who has something to say.
///
/// What is said waits in memory while nobody reads it, and beyond a limit is dropped and counted; as soon as it is read again, a
/// line says how many are missing.
enum LogOutput {
    /// How many bytes may wait.
    private static let room = 1 << 20
    /// How long the end of the process waits for what waits.
    private static let patience = DispatchTimeInterval.seconds(1)

    private struct State {
        var waiting = 0
        var dropped = 0
    }

    private static let queue = DispatchQueue(label: "log")
    private static let state = Mutex(State())

    /// Writes a text to standard error, now or later.
    static func write(_ text: String, notice: @escaping @Sendable (Int) -> String = plainNotice) {
        say(text.utf8.count, notice: notice) { try? Console.write(text, to: .standardError) }
    }

    /// Says something, now or later, in the order of the calls.
    ///
    /// - Parameters:
    ///   - size: How many bytes it holds meanwhile.
    ///   - notice: Makes the line that says how many were dropped.
    ///   - body: Says it, and may block.
    static func say(
        _ size: Int, notice: @escaping @Sendable (Int) -> String = plainNotice, _ body: @escaping @Sendable () -> Void
    ) {
        let hasRoom = state.withLock { state in
            guard state.waiting + size <= room || state.waiting == 0 else {
                state.dropped += 1
                return false
            }
            state.waiting += size
            return true
        }
        guard hasRoom else { return }
        queue.async {
            body()
            let dropped = state.withLock { state in
                state.waiting -= size
                guard state.waiting < room / 2 else { return 0 }
                defer { state.dropped = 0 }
                return state.dropped
            }
            if dropped > 0 { try? Console.write(notice(dropped), to: .standardError) }
        }
    }

    static let plainNotice: @Sendable (Int) -> String = {
        "\(Console.program): nobody read this: \($0) lines are missing here\n"
    }

    /// Waits until all is said, but not long.
    static func finish() {
        let done = DispatchSemaphore(value: 0)
        queue.async { done.signal() }
        _ = done.wait(timeout: .now() + patience)
    }
}

import JobQueue
import ServiceLifecycle
import Synchronization
import Systemd

/// Goes round through every loop that the daemon's work hangs on, and tells systemd how it is.
///
/// The watchdog is fed only behind a whole round, so that one loop that hangs leaves it hungry.
final class Supervision: Service {
    /// A loop that can be pinged.
    struct Part: Sendable {
        let name: String
        /// Returns when the loop has come round.
        let ping: @Sendable () async -> Void

        init(name: String, ping: @escaping @Sendable () async -> Void) {
            self.name = name
            self.ping = ping
        }

        /// A loop of the worker, which does not answer while it is late.
        init(_ loop: WorkerLoop, of worker: WorkerWatch, lateAfter limit: Duration) {
            self.init(name: loop.words) {
                while worker.current.isLate(loop, by: limit) { try? await Task.sleep(for: .milliseconds(200)) }
            }
        }
    }

    private struct State {
        var roundEnded = ContinuousClock.now
        var waitingFor: String?
    }

    /// A loop that has not answered for so long is hung.
    ///
    /// A database that swallows packets holds each of many statements for its whole deadline: that is no hang yet.
    static let hangLimit = Duration.seconds(300)

    /// How much time it asks for while jobs may end; it asks again in every round.
    private static let respite = Duration.seconds(30)

    private let manager: ServiceManager?
    private let worker: WorkerWatch
    private let parts: [Part]
    private let state = Mutex(State())

    init(manager: ServiceManager?, worker: WorkerWatch, parts: [Part]) {
        self.manager = manager
        self.worker = worker
        self.parts = parts
    }

    /// What hangs; nil where all is well.
    var hang: String? {
        let state = state.withLock { $0 }
        guard let part = state.waitingFor, ContinuousClock.now - state.roundEnded > Self.hangLimit else { return nil }
        return "\(part) does not answer"
    }

    /// Tells systemd at once what cannot wait for the next round.
    func note(_ event: WorkerEvent) {
        switch event {
        case .entered where worker.current.phase == .working:
            manager?.tell(.ready, .status(worker.current.sentence))
        case .stopping: manager?.tell(.stopping, .extendTimeout(Self.respite), .status(worker.current.sentence))
        // A start that hangs says why.
        case .failed: manager?.tell(.status(worker.current.sentence))
        default: break
        }
    }

    func run() async throws {
        let longestPause = Duration.seconds(5)
        let pause = min(manager?.watchdogInterval.map { $0 / 3 } ?? longestPause, longestPause)
        manager?.tell(.status(worker.current.sentence))
        try? await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await self.round()
                self.report()
                try await Task.sleep(for: pause)
            }
        }
    }

    private func round() async {
        for part in parts {
            state.withLock { $0.waitingFor = part.name }
            await part.ping()
        }
        state.withLock { $0 = State() }
    }

    private func report() {
        guard let manager else { return }
        let worker = worker.current
        var notices = [Notice.status(worker.sentence)]
        if manager.watchdogInterval != nil { notices.append(.watchdog) }
        // While jobs may end, however long SHEETSYNC_SHUTDOWN_GRACE is.
        if worker.phase == .stopping { notices.append(.extendTimeout(Self.respite)) }
        manager.tell(notices)
    }
}

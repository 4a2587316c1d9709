import ServiceLifecycle
import Systemd
import UnixSignals

/// Reads anew on SIGHUP what may change while the daemon runs.
struct Reload: Service {
    let manager: ServiceManager?
    let worker: WorkerWatch
    let reread: @Sendable () -> Void

    func run() async throws {
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
            // A daemon that has not said it is ready, or that stops, must not say so because of a reload.
            let manager = worker.current.phase == .working ? manager : nil
            manager?.tell(.reloading)
            reread()
            manager?.tell(.ready)
        }
    }
}

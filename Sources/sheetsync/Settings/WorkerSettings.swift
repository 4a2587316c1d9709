import FoundationEssentials
import JobQueue
import SheetModel

extension SettingsReader {
    private func leaseTime() throws -> Duration { try seconds("SHEETSYNC_LEASE_SECONDS", default: 45, in: 5...3600) }

    /// After how many seconds without a sign of life a worker is dead, to the other workers and to whoever asks for it.
    func silenceLimit() throws -> Double {
        var configuration = WorkerConfiguration()
        configuration.leaseTime = try leaseTime()
        return configuration.silenceLimit / .seconds(1)
    }

    /// How the worker works.
    func worker() throws -> WorkerConfiguration {
        var configuration = WorkerConfiguration()
        configuration.name = "\(SheetSync.machine):\(ProcessInfo.processInfo.processIdentifier)"
        configuration.version = SheetSync.version
        configuration.concurrency = try int("SHEETSYNC_CONCURRENCY", default: 16, in: 1...1000)
        let free = MachineMemory.limit().map { max(64, $0 / 4 * 3 / 1_048_576) } ?? 1024
        configuration.memory = try int("SHEETSYNC_MEMORY_MB", default: free, in: 64...16_777_216) * 1_048_576
        configuration.pollInterval = try seconds("SHEETSYNC_POLL_INTERVAL", default: 2, in: 0.05...3600)
        configuration.leaseTime = try leaseTime()
        configuration.shutdownGrace = try seconds("SHEETSYNC_SHUTDOWN_GRACE", default: 30, in: 0...3600)
        configuration.keepPayloads = try bool("SHEETSYNC_KEEP_PAYLOADS", default: false)
        let days = try int("SHEETSYNC_RETENTION_DAYS", default: 14, in: 0...3650)
        configuration.retention = days == 0 ? nil : .seconds(days * 86_400)
        configuration.clock = { zone in
            let rules = try TimeZoneRules(named: zone)
            return ZoneClock { rules.offset(at: $0) }
        }
        return configuration
    }

    /// The largest payload that `enqueue` takes, in bytes.
    func largestPayload() throws -> Int { try int("MAX_CONTENT_SIZE_MB", default: 5, in: 1...200) * 1_048_576 }
}

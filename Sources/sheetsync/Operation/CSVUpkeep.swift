import Export
import ServiceLifecycle

/// Takes the CSV files of failed exports away when their jobs are removed from the queue.
///
/// A file is written when its job ends, so both are as old; a folder is one queue's.
struct CSVUpkeep: Service {
    private static let pause = Duration.seconds(3600)

    let files: CSVFallback
    /// How long jobs that have ended are kept.
    let retention: Duration

    func run() async throws {
        await cancelWhenGracefulShutdown {
            repeat { files.removeFiles(olderThan: retention + Self.pause) } while await isLater()
        }
    }

    private func isLater() async -> Bool { (try? await Task.sleep(for: Self.pause)) != nil }
}

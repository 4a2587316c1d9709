import JobQueue
import Synchronization

/// The place on disk where rows wait for Google, and how much of it all running jobs may take together.
public final class SpoolSpace: Sendable {
    /// The folder; files in it have no name, so that a process that dies leaves none.
    public let directory: String
    /// The most that all jobs may hold at once, in bytes.
    public let limit: Int
    private let used = Mutex(0)

    /// Takes a folder that is there and may be written to.
    public init(directory: String, limit: Int) {
        self.directory = directory
        self.limit = limit
    }

    /// What is held at the moment, in bytes.
    public var bytesUsed: Int { used.withLock { $0 } }

    /// A job's part, which is given back when nobody holds it any more.
    func share() -> Share { Share(of: self) }

    final class Share: Sendable {
        let space: SpoolSpace
        private let held = Mutex(0)

        fileprivate init(of space: SpoolSpace) { self.space = space }

        deinit {
            let bytes = held.withLock { $0 }
            space.used.withLock { $0 -= bytes }
        }

        /// Takes more.
        ///
        /// - Throws: `JobFailure`, for good where this job alone needs more than there is, else until others have ended.
        func take(_ bytes: Int) throws(JobFailure) {
            let own = held.withLock { $0 } + bytes
            let megabytes = space.limit / 1_048_576
            guard own <= space.limit else {
                throw JobFailure(
                    .spoolFull,
                    "The queries of this job give more than the \(megabytes) MB that may wait on disk "
                        + "(SHEETSYNC_SPOOL_MAX_MB); raise that or let the queries give less.", retry: .never)
            }
            let isTaken = space.used.withLock { used in
                guard used + bytes <= space.limit else { return false }
                used += bytes
                return true
            }
            guard isTaken else {
                throw JobFailure(
                    .spoolFull,
                    "The rows of other jobs fill the \(megabytes) MB that may wait on disk (SHEETSYNC_SPOOL_MAX_MB); the "
                        + "query runs again when there is room.", retry: .snooze(.seconds(10)))
            }
            held.withLock { $0 += bytes }
        }
    }
}

import Glibc
import Logging

/// How many files and sockets this process may have open.
enum OpenFiles {
    /// Beside what jobs and monitors need: connections to the database, the log, and what the runtime has for itself.
    private static let base = 32
    /// A connection to Google, one to the source and the file with a query's rows.
    private static let eachJob = 3
    /// How many connections monitors may have, and how many of those they have however few files there are.
    private static let connections = 8...64

    /// Lets the process open as many as its jobs may need at once, and says so where it may not.
    ///
    /// - Returns: How many connections monitors may have. Files that jobs need are none of theirs; and Swift's runtime, which
    ///   reads files of its own, ends a process that cannot open any more.
    static func raiseLimit(concurrency: Int, logger: Logger) -> Int {
        let jobs = base + eachJob * concurrency
        let need = rlim_t(jobs + connections.upperBound)
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard unsafe getrlimit(resource, &limit) == 0, limit.rlim_cur < need else { return connections.upperBound }
        limit.rlim_cur = min(need, limit.rlim_max)
        guard unsafe setrlimit(resource, &limit) == 0, limit.rlim_cur == need else {
            let words =
                "only \(limit.rlim_cur) files may be open, and up to \(need) may be needed at once (\(eachJob) a job): "
                + "raise LimitNOFILE (ulimit -n), or lower SHEETSYNC_CONCURRENCY"
            logger.warning("\(words)")
            return min(max(Int(limit.rlim_cur) - jobs, connections.lowerBound), connections.upperBound)
        }
        return connections.upperBound
    }
}

import Glibc
import Logging

/// How many files and sockets this process may have open.
enum OpenFiles {
    /// Beside what jobs need: the places for monitors, connections to the database, the log, and what the runtime has for itself.
    private static let base = 64 + 32
    /// A connection to Google, one to the source and the file with a query's rows.
    private static let eachJob = 3

    /// Lets the process open as many as its jobs may need at once, and says so where it may not.
    static func raiseLimit(concurrency: Int, logger: Logger) {
        let need = rlim_t(base + eachJob * concurrency)
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard unsafe getrlimit(resource, &limit) == 0, limit.rlim_cur < need else { return }
        limit.rlim_cur = min(need, limit.rlim_max)
        guard unsafe setrlimit(resource, &limit) == 0, limit.rlim_cur == need else {
            let words =
                "only \(limit.rlim_cur) files may be open, and up to \(need) may be needed at once (\(eachJob) a job): "
                + "raise LimitNOFILE (ulimit -n), or lower SHEETSYNC_CONCURRENCY"
            return logger.warning("\(words)")
        }
    }
}

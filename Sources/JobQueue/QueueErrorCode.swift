/// The codes of failures that the queue itself gives to a job.
public enum QueueErrorCode: String, Sendable, CaseIterable {
    case workerLost = "queue.worker_lost"
    case leaseLost = "queue.lease_lost"
    case payloadUnreadable = "queue.payload_unreadable"
    case detailsRefused = "queue.details_refused"
    case unknownKind = "queue.unknown_kind"
    case databaseFailed = "queue.database_failed"
    case loginLimit = "queue.login_limit"
    case syncScheduleUnreadable = "sync.schedule_unreadable"
    case syncRunRefused = "sync.run_refused"
    case `internal` = "internal"

    /// What it means and what to do.
    public var advice: String {
        switch self {
        case .workerLost:
            "The worker stopped giving signs of life and another one took the job; look why it died (memory, `journalctl`). "
                + "That costs no attempt before the third time; from then on the job runs alone, and the fifth time, or the loss of its last attempt, is its end."
        case .leaseLost:
            "The worker could not reach the database for too long and another one took the job; nothing to do."
        case .payloadUnreadable:
            "The payload is JSON that this program does not read, such as a thousand nested lists; enqueue it anew."
        case .detailsRefused:
            "The database refused to store the result or error, such as text with a NUL; the end itself is right."
        case .unknownKind: "A worker got a job of a kind that it cannot do; run one version of sheetsync everywhere."
        case .databaseFailed:
            "The queue's database failed a statement of the job; look at the server. The job is tried again."
        case .loginLimit:
            "As many jobs of its login run at once as an operator allows (sheetsync.limit_login); it begins when one of them ends."
        case .syncScheduleUnreadable:
            "A worker cannot reckon when a sync is due, such as for a time zone that its machine does not know (install tzdata); it "
                + "tries again a minute later. No job has this code, only a sync's last_error."
        case .syncRunRefused:
            "A run of a sync could not be enqueued: its login has lost a role or is gone, or its payload is larger than "
                + "MAX_CONTENT_SIZE_MB by now. No job has this code, only a sync's last_error."
        case .internal: "A mistake in SheetSync; please report it with the message. The job is tried again."
        }
    }
}

extension JobFailure {
    /// A failure with one of the queue's own codes.
    init(_ code: QueueErrorCode, _ message: String, retry: Retry) {
        self.init(code: code.rawValue, message: message, retry: retry)
    }
}

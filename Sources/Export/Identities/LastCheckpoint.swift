import JSON
import JobQueue
import Synchronization

/// What was saved of a job last.
final class LastCheckpoint: Sendable {
    private let checkpoint: Mutex<JSON?>

    init(_ checkpoint: JSON?) { self.checkpoint = Mutex(checkpoint) }

    fileprivate func note(_ saved: JSON) { checkpoint.withLock { $0 = saved } }

    /// The same with the spreadsheet that the job wrote into, so that later jobs for it go to the same identity.
    func naming(_ target: String) -> JSON {
        var members = checkpoint.withLock(\.self)?.object ?? JSONObject([.init(name: "stage", value: "begun")])
        members["spreadsheet_id"] = .string(String(target.drop { $0 != ":" }.dropFirst()))
        return .object(members)
    }
}

extension ProgressReporter {
    /// The same reporter, whose last checkpoint is remembered.
    func remembering(_ last: LastCheckpoint) -> ProgressReporter { mapping(\.self) { last.note($0) } }
}

import JSON
import JobQueue

extension ProgressReporter {
    /// The same reporter, whose checkpoints say who does the job.
    func noting(_ identity: Identity) -> ProgressReporter {
        guard identity.isOneOfSeveral else { return self }
        return ProgressReporter(holds: { isHeld }) { progress async throws(JobFailure) in
            guard var members = progress.checkpoint?.object else {
                return await self(progress.step, rowsDone: progress.rowsDone, of: progress.rowsTotal)
            }
            // What nobody has made anybody may make.
            if members["stage"] != "not_made" { members["identity"] = .string(identity.account) }
            try await save(
                .object(members), step: progress.step, rowsDone: progress.rowsDone, of: progress.rowsTotal)
        }
    }
}

import JSON
import JobQueue

extension ProgressReporter {
    /// The same reporter, whose checkpoints say who does the job.
    ///
    /// Who made a spreadsheet is noted before the checkpoint that names it: later jobs for it must go to the same identity.
    func noting(_ identity: Identity) -> ProgressReporter {
        guard identity.isOneOfSeveral else { return self }
        return mapping { checkpoint async throws(JobFailure) in
            // What nobody has made anybody may make.
            guard var members = checkpoint.object, members["stage"] != "not_made" else { return checkpoint }
            if let id = members["spreadsheet_id"]?.string { try await identity.note(madeOrWrote: id) }
            members["identity"] = .string(identity.account)
            return .object(members)
        }
    }
}

extension Job {
    /// As whom the job has begun; nil where nobody noted it.
    var identity: String? { checkpoint?["identity"]?.string }
}

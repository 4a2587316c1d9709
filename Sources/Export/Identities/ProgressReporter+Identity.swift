import JSON
import JobQueue

extension ProgressReporter {
    /// The same reporter, whose checkpoints say who does the job.
    func noting(_ identity: Identity) -> ProgressReporter {
        guard identity.isOneOfSeveral else { return self }
        return mapping { checkpoint in
            // What nobody has made anybody may make.
            guard var members = checkpoint.object, members["stage"] != "not_made" else { return checkpoint }
            members["identity"] = .string(identity.account)
            return .object(members)
        }
    }
}

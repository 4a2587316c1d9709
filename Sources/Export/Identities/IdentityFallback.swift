import Google
import JSON
import JobQueue
import Synchronization

/// Lets identities take turns at a job, as long as nothing of it is at Google.
///
/// A file or folder that a job names may be shared with one of several identities only. Google tells the others that it is
/// not there, or that they may not write; that is no reason to give the job up before all have been asked.
struct IdentityFallback: Sendable {
    /// Who was chosen for the job, with what is reserved for it.
    let chosen: Identity
    /// Those as whom the installation works.
    let identities: [Identity]

    /// Begins with whom a job was given to.
    init(_ identities: Identities, for job: Job) {
        chosen = identities.identity(for: job)
        self.identities = identities.all
    }

    /// Does a job's work as the identity that was chosen for it, and where that one is refused, as one after another.
    ///
    /// - Parameter isWriting: Whether who can do this is remembered for later jobs with the same spreadsheet.
    /// - Throws: What the first one met where there is no other, else why one of them cannot be asked now, else a failure that
    ///   tells who was refused what.
    func run<Result>(
        _ job: Job, isWriting: Bool = true, _ body: (Identity) async throws -> Result
    ) async throws -> Result {
        guard chosen.isOneOfSeveral else {
            do { return try await body(chosen) } catch {
                throw Self.naming(chosen, in: await Self.blamingDrive(for: error, as: chosen))
            }
        }
        var refusals: [(account: String, failure: JobFailure)] = []
        var unasked: (any Error)?
        for identity in [chosen] + identities.filter({ $0.account != chosen.account }) {
            let writes = Atomic<Int>(0)
            var own = identity
            own.workspace = identity.workspace.observed { call in
                guard call.isWrite, !(400..<500).contains(call.status ?? 0) else { return }
                writes.add(1, ordering: .relaxed)
            }
            do {
                let result = try await body(own)
                if isWriting, let target = job.target, job.identity == nil {
                    try? await own.note(madeOrWrote: SpreadsheetIdentities.spreadsheetID(of: target))
                }
                return result
            } catch {
                let error = await Self.blamingDrive(for: error, as: own)
                guard Self.isFresh(job), writes.load(ordering: .relaxed) == 0 else { throw error }
                if let failure = Self.refusal(error) {
                    refusals.append((identity.account, failure))
                } else if error is GoogleError || error is JobFailure, await identity.governor.isRefused {
                    // The job comes back to whoever has no token now, unless another one can do it.
                    unasked = unasked ?? error
                } else {
                    throw error
                }
            }
        }
        throw unasked ?? Self.summary(refusals)
    }

    /// The error, with the account to share with where that is what it lacks.
    static func naming(_ identity: Identity, in error: any Error) -> any Error {
        if let behind = error as? PostWriteFailure {
            return PostWriteFailure(cause: naming(identity, in: behind.cause))
        }
        guard let failure = refusal(error) else { return error }
        return JobFailure(
            code: failure.code, message: "\(failure.message) This identity is \(identity.account).",
            retry: failure.retry, needsMending: failure.needsMending, details: failure.details)
    }

    /// The failure, where it is of one who may not see or change what the job names.
    private static func refusal(_ error: any Error) -> JobFailure? {
        let failure = error as? JobFailure ?? (error as? GoogleError).map { JobFailure($0) }
        guard let failure, failure.retry == .never || failure.needsMending,
            [GoogleError.Code.notFound, .permissionDenied].map(\.rawValue).contains(failure.code)
        else { return nil }
        return failure
    }

    /// The error, or where it is about files that this identity may not see or change because of the shared drive of the
    /// settings, what is wrong with that: a fault of the installation, which costs no job.
    static func blamingDrive(for error: any Error, as identity: Identity) async -> any Error {
        if let behind = error as? PostWriteFailure {
            return PostWriteFailure(cause: await blamingDrive(for: behind.cause, as: identity))
        }
        guard let failure = refusal(error), failure.retry == .never,
            let id = identity.workspace.configuration.sharedDriveID
        else { return error }
        let drive = identity.workspace.clients(for: ProgressReporter { _ in }).drive
        guard let objection = try? await drive.sharedDriveObjection() else { return error }
        return JobFailure.missingDrive(id, objection)
    }

    /// Whether no earlier attempt has made or written anything.
    static func isFresh(_ job: Job) -> Bool {
        let checkpoint = job.exportCheckpoint
        guard checkpoint.sheets.isEmpty, checkpoint.result == nil else { return false }
        return switch checkpoint.stage {
        case .notMade: true
        // Whoever began to make a spreadsheet may have made it.
        case .begun: job.target != nil || !job.isRedelivered
        case .unclear, .made, .staged, .unknown: false
        }
    }

    /// Who was refused what; those who heard the same stand together.
    private static func summary(_ refusals: [(account: String, failure: JobFailure)]) -> JobFailure {
        var sentences: [(accounts: [String], message: String)] = []
        for (account, failure) in refusals {
            if let index = sentences.firstIndex(where: { $0.message == failure.message }) {
                sentences[index].accounts.append(account)
            } else {
                sentences.append(([account], failure.message))
            }
        }
        // Where one of them has the drive and is refused all the same, that of the others is no reason to wait.
        let areAllToMend = refusals.allSatisfy(\.failure.needsMending)
        // Who may not write has seen the file, which says more.
        let denied = refusals.first { $0.failure.code == GoogleError.Code.permissionDenied.rawValue }
        let words = sentences.map { "As \($0.accounts.joined(separator: ", ")): \($0.message)" }
        return JobFailure(
            code: (denied ?? refusals[0]).failure.code,
            message: "None of the \(refusals.count) identities can do this. \(words.joined(separator: " "))",
            retry: areAllToMend ? .snooze(.seconds(60)) : .never, needsMending: areAllToMend)
    }
}

import JSON
import JobQueue
import Synchronization

/// Saves the checkpoints of one attempt: what the attempts before it came to, with what is new.
final class CheckpointStore: Sendable {
    private struct State {
        var checkpoint: ExportCheckpoint
        /// Whether all rows are written, so that nothing is left to say of single sheets.
        var isWritten = false

        /// Takes note of what the job has to show, with a word on each sheet that keeps its rows.
        mutating func show(_ result: JSON?) {
            var result = result ?? checkpoint.stage.result
            // Something is there to show, so this is not the beginning any more.
            if result != nil, checkpoint.stage == .notMade { checkpoint.stage = .begun }
            if !isWritten, !checkpoint.sheets.isEmpty, var members = result?.object {
                let words = checkpoint.sheets.sorted { $0.key < $1.key }.map {
                    JSON.string("sheets[\($0.key)]: \($0.value.words)")
                }
                members["warnings"] = .array((members["warnings"]?.array ?? []) + words)
                result = .object(members)
            }
            checkpoint.result = result
        }
    }

    /// Who is noted with what is saved; nil where nobody has to be.
    private let identity: Identity?
    private let progress: ProgressReporter
    private let state: Mutex<State>

    /// Goes on from what is saved of a job.
    ///
    /// - Parameter identity: As whom the attempt is made; nil for a rehearsal, which leaves no note.
    init(of job: Job, as identity: Identity?, _ progress: ProgressReporter) {
        self.identity = identity?.isOneOfSeveral == true ? identity : nil
        self.progress = progress
        state = Mutex(State(checkpoint: job.exportCheckpoint))
    }

    /// What was saved last, or is being saved.
    var checkpoint: ExportCheckpoint { state.withLock { $0.checkpoint } }

    /// Saves what is saved already, to note whose job it is.
    ///
    /// Its errors have no type, because the optimiser of Swift 6.3 crashes on a typed one where this is called.
    func saveIdentity(step: String) async throws { try await save(step) { _ in } }

    /// Saves a new stage.
    ///
    /// - Parameter result: What the job has to show where it ends now; nil for what the stage itself says.
    func save(
        _ stage: ExportCheckpoint.Stage, result: JSON? = nil, step: String, rowsDone: Int? = nil,
        of rowsTotal: Int? = nil
    ) async throws(JobFailure) {
        try await save(step, rowsDone, rowsTotal) { state in
            state.checkpoint.stage = stage
            // Another spreadsheet will be made, and nothing is in that.
            if stage == .notMade { state.checkpoint.sheets = [:] }
            state.show(result)
        }
    }

    /// Saves how far the job is with a sheet that keeps its rows.
    ///
    /// - Parameter result: What the job has to show beside that; all else that it writes is done by then.
    func save(
        _ progress: ExportCheckpoint.SheetProgress, ofSheet index: Int, result: JSON, rowsDone: Int, of rowsTotal: Int
    ) async throws(JobFailure) {
        try await save("writing", rowsDone, rowsTotal) { state in
            state.checkpoint.sheets[index] = progress
            state.show(result)
        }
    }

    /// Saves what the job has to show where it ends now, and nothing else for its next attempt.
    ///
    /// - Parameter isWritten: Whether all rows are written.
    func save(
        result: JSON, isWritten: Bool = false, step: String, rowsDone: Int? = nil, of rowsTotal: Int? = nil
    ) async throws(JobFailure) {
        try await save(step, rowsDone, rowsTotal) { state in
            if isWritten { state.isWritten = true }
            state.show(result)
        }
    }

    private func save(
        _ step: String, _ rowsDone: Int? = nil, _ rowsTotal: Int? = nil, _ change: (inout State) -> Void
    ) async throws(JobFailure) {
        let checkpoint = state.withLock { state in
            change(&state)
            // What nobody has made anybody may make.
            let isAnybodys = state.checkpoint.stage == .notMade
            state.checkpoint.identity = isAnybodys ? nil : identity?.account ?? state.checkpoint.identity
            return state.checkpoint
        }
        // Noted before the checkpoint that names the spreadsheet: later jobs for it must go to the same identity.
        if let identity, case .made(let spreadsheet, _) = checkpoint.stage {
            try await identity.note(madeOrWrote: spreadsheet.id)
        }
        try await progress.save(checkpoint.json, step: step, rowsDone: rowsDone, of: rowsTotal)
    }
}

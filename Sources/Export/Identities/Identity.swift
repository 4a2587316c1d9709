import Google
import JobQueue
import Postgres

/// One of those as whom an installation works at Google, with what belongs to it.
public struct Identity: Sendable {
    /// Its name in reports, in the quotas and in the memory of spreadsheets.
    let account: String
    var workspace: Workspace
    let folders: FolderDirectory
    let governor: Governor
    private let spreadsheets: SpreadsheetIdentities
    /// Whether a job has to note whose it is.
    var isOneOfSeveral = false

    /// Makes an identity; its workspace calls through its governor.
    public init(
        account: String, workspace: Workspace, folders: FolderDirectory, governor: Governor,
        spreadsheets: SpreadsheetIdentities
    ) {
        self.spreadsheets = spreadsheets
        self.account = account
        self.workspace = workspace
        self.folders = folders
        self.governor = governor
    }

    /// The same identity, whose calls use what is reserved for a job.
    func using(_ reservation: QuotaReservation) -> Identity {
        var copy = self
        copy.workspace = workspace.gated(by: ReservedGate(governor: governor, reservation: reservation))
        return copy
    }

    /// Remembers that this identity made or wrote a spreadsheet, so that later jobs for it come here.
    func note(madeOrWrote spreadsheetID: String) async throws(JobFailure) {
        do throws(PostgresError) {
            try await spreadsheets.note(spreadsheetID, account: account)
        } catch {
            throw JobFailure(error)
        }
    }

    /// The accounts that made the spreadsheets of some jobs' targets, as far as they are known.
    func makers(of targets: [String]) async -> [String: String] {
        (try? await spreadsheets.accounts(of: targets)) ?? [:]
    }

    /// Finds out beside the jobs whether Google gives it a token, where that is not known or was not so.
    func trySignIn() async { await governor.trySignIn { [workspace] in try? await workspace.signIn() } }
}

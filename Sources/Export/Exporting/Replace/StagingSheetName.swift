import JobQueue
import SheetModel

/// The names of the hidden sheets that a job writes in somebody's spreadsheet, by which those of dead jobs are recognised.
struct StagingSheetName: Sendable, Hashable {
    private let installation: String
    private let job: JobTag

    init(installation: String, job: JobTag) {
        self.installation = installation
        self.job = job
    }

    /// The name of a hidden sheet.
    ///
    /// - Parameter number: Which of the attempt's it is, from 1.
    func title(_ number: Int) -> String { "\(Self.prefix(installation))\(job) (\(number))" }

    /// Whether a sheet is one that any job of an installation has hidden.
    static func isOn(_ title: String, of installation: String) -> Bool { title.hasPrefix(prefix(installation)) }

    private static func prefix(_ installation: String) -> String { "sheetsync \(installation) job " }
}

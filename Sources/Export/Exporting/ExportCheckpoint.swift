import JSON
import JobQueue
import SheetModel

/// How far the attempts of an export have come, as the queue keeps it.
struct ExportCheckpoint: Sendable, Hashable {
    var stage = Stage.begun
    /// How far the job is with each sheet that keeps its rows, by its index in the payload.
    var sheets: [Int: SheetProgress] = [:]
    /// The account that the job is done as; nil where nobody noted it.
    var identity: String?
    /// What the job has to show where it ends now; nil for what the stage itself says.
    var result: JSON?

    /// What there is at Google of the spreadsheet that a job makes, or of the sheets that it replaces.
    enum Stage: Sendable, Hashable {
        /// Nothing that another attempt has to know.
        case begun
        /// No attempt has made a spreadsheet.
        case notMade
        /// One may have.
        case unclear(UncertainCreate)
        /// The spreadsheet is there.
        case made(ExportedSpreadsheet, written: Written?)
        /// Sheets of somebody's spreadsheet are being replaced.
        case staged(Staging)
        /// What another version saved and this one cannot read; it is kept as it is.
        case unknown(JSON)
    }

    /// What is written in it: the first batch at least.
    struct Written: Sendable, Hashable {
        /// Google's id of each sheet of the payload.
        let sheetIDs: [Int]
        /// The first row that may not be there.
        let next: PlanPosition
    }

    /// How far a replacement has come in the hidden sheets of its own.
    struct Staging: Sendable, Hashable {
        /// What is written in the hidden sheets; at the beginning perhaps not even they are there.
        let written: Written
        /// What the job has to show once the last batch is done, which may have been sent; nil before it.
        let outcome: SheetReplacer.Outcome?
        /// Which cells of the hidden sheets the rows are in; see `StagedPlan.layout`.
        let layout: String
    }

    /// How far a job is with one sheet that keeps its rows.
    enum SheetProgress: Sendable, Hashable {
        case append(AppendProgress)
        /// Rows may have been changed or added; doing it again does no harm.
        case upsert
        /// What another version saved and this one cannot read; it is kept as it is.
        case unknown(JSON)

        /// What a person should know where the job ends now.
        var words: String {
            switch self {
            case .append(let progress): progress.words
            case .upsert, .unknown: "some of the rows may be changed or added."
            }
        }
    }

    /// How far the job is with the appending to a sheet; nil where nobody began.
    func appendProgress(ofSheet index: Int) -> AppendProgress? {
        guard case .append(let progress)? = sheets[index] else { return nil }
        return progress
    }
}

extension Job {
    /// What the attempts before this one came to.
    var exportCheckpoint: ExportCheckpoint { checkpoint.map(ExportCheckpoint.init) ?? ExportCheckpoint() }

    /// As whom the job has begun; nil where nobody noted it.
    var identity: String? { exportCheckpoint.identity }
}

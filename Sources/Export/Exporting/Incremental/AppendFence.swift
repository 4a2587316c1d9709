import Arithmetic
import JSON
import JobQueue
import SheetModel

/// The notes on a sheet that say how far each job is with it: Google's developer metadata.
///
/// A note is made by the same write as the rows, so both are there or neither. Its id follows from the job and from how far it
/// was before, and Google gives no id twice: of two writes from the same point, such as a late one of a worker that was taken
/// for dead, the second fails whole. Entries of some jobs before are kept, for those that are tried again.
struct AppendFence: Sendable {
    struct Entry: Hashable {
        let id: Int
        let job: JobTag
        let count: Int
        /// Of the rows that were appended; nil for an upsert.
        var digest: String?
    }

    private static let key = "sheetsync_rows"
    /// How many are kept of the job's own, and of all others; Google takes 30,000 characters on a sheet.
    private static let kept = 30

    private let installation: String
    private let job: JobTag
    private let sheetID: Int
    private(set) var entries: [Entry]
    /// How many rows the job has appended by what the queue knows, where its own notes have made room for others.
    private var known = 0

    /// Reads the notes of an installation from a sheet's metadata.
    init(on sheetID: Int, of target: TargetSpreadsheet, installation: String, job: JobTag) {
        self.installation = installation
        self.job = job
        self.sheetID = sheetID
        entries = (target.metadata[sheetID] ?? []).compactMap { note in
            guard note["metadataKey"]?.string == Self.key, let id = note["metadataId"]?.int,
                (0...Int(Int32.max)).contains(id),
                let parts = note["metadataValue"]?.string?.split(separator: "/"), parts.count == 3 || parts.count == 4,
                parts[0] == installation, let job = JobTag(parts[1]), let count = Int(parts[2]),
                // Whoever may edit the spreadsheet may write anything there.
                (0...Limits.cells).contains(count)
            else { return nil }
            return Entry(id: id, job: job, count: count, digest: parts.count == 4 ? String(parts[3]) : nil)
        }
    }

    /// How many rows the job has appended; of an upsert, also how often it has changed some.
    var count: Int { max(last?.count ?? 0, known) }

    /// What tells whether another job has left notes since: the sum of all ids.
    var others: Int { entries.reduce(0) { $0 + ($1.job == job ? 0 : $1.id) } }

    /// Whether there are so many notes of other jobs that those of this one may have made room for them.
    var isCrowded: Bool { entries.count { $0.job != job } >= Self.kept }

    /// Goes on from what the queue knows, where the notes do not say it any more.
    mutating func goOn(behind rows: Int) { known = rows }

    /// The job's last note.
    var last: Entry? { entries.filter { $0.job == job }.max { $0.count < $1.count } }

    /// Notes that the job is so much further, and returns the requests that do so at Google.
    mutating func add(_ count: Int, digest: RowDigest? = nil) -> [JSON] {
        let next = Entry(
            id: id(after: self.count), job: job, count: self.count + count, digest: digest?.description)
        let own = entries.filter { $0.job == job }.sorted { $0.count < $1.count }
        let others = entries.filter { $0.job != job }.sorted { ($0.job, $0.count) < ($1.job, $1.count) }
        let old = own.dropLast(Self.kept - 1) + others.dropLast(Self.kept)
        entries.removeAll { old.contains($0) }
        entries.append(next)
        let value = "\(installation)/\(job)/\(next.count)\(next.digest.map { "/\($0)" } ?? "")"
        return old.map { SheetMetadata.delete($0.id) } + [
            SheetMetadata.add(id: next.id, key: Self.key, value: value, on: sheetID)
        ]
    }

    /// The id of the note that comes after a count: the same in every process, positive, and of 31 bits.
    private func id(after count: Int) -> Int {
        var hash = FNV1a()
        hash.add("\(installation)/\(job)/\(sheetID)/\(count)".utf8Span.span)
        return max(1, Int((hash.value ^ hash.value >> 32) & 0x7fff_ffff))
    }
}

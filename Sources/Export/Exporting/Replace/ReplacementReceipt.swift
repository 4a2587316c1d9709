import JSON
import JobQueue

/// The note on a sheet that a job brought rows over from its hidden sheets: Google's developer metadata.
///
/// The batch that brings them over leaves it, so that a later attempt knows that this was done. That the hidden sheets are
/// gone says too little: whoever writes next takes leftovers away.
struct ReplacementReceipt {
    private static let key = "sheetsync_replaced"
    /// How many are kept on a sheet, for jobs that are tried again after others.
    private static let kept = 30

    private let installation: String
    private let job: JobTag
    private let value: String

    /// Makes the note of one try of a job.
    ///
    /// - Parameter hidden: The id of its first hidden sheet, which no other try has.
    init(installation: String, job: JobTag, hidden: Int) {
        self.installation = installation
        self.job = job
        value = "\(installation)/\(job)/\(hidden)"
    }

    /// Whether the last batch of this try was done.
    func isOn(_ target: TargetSpreadsheet) -> Bool {
        target.metadata.values.joined().contains {
            $0["metadataKey"]?.string == Self.key && $0["metadataValue"]?.string == value
        }
    }

    /// The requests that leave the note on a sheet, and take away those of long ago.
    func requests(on sheetID: Int, of target: TargetSpreadsheet) -> [JSON] {
        let earlier = (target.metadata[sheetID] ?? []).compactMap { note -> (id: Int, job: JobTag)? in
            guard note["metadataKey"]?.string == Self.key, let id = note["metadataId"]?.int,
                (0...Int(Int32.max)).contains(id),
                let parts = note["metadataValue"]?.string?.split(separator: "/"), parts.count == 3,
                parts[0] == installation, let job = JobTag(parts[1])
            else { return nil }
            return (id, job)
        }.sorted { $0.job < $1.job }
        return earlier.dropLast(Self.kept - 1).map { SheetMetadata.delete($0.id) }
            + [SheetMetadata.add(key: Self.key, value: value, on: sheetID)]
    }
}

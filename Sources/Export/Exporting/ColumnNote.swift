import JSON
import SheetModel

/// The note on a sheet that says which of its columns a job wrote: Google's developer metadata.
///
/// A later job empties those of them that it lacks itself; all others are somebody's own.
struct ColumnNote {
    private static let key = "sheetsync_columns"

    private let installation: String
    private let written: WrittenColumns?

    /// Makes the note of a job's sheet.
    init(_ sheet: CheckedSheet, installation: String) {
        self.installation = installation
        written = WrittenColumns(sheet.columns, hasHeader: sheet.hasHeader)
    }

    /// What the notes on a sheet say.
    static func read(on sheetID: Int, of target: TargetSpreadsheet, installation: String) -> WrittenColumns? {
        notes(on: sheetID, of: target, installation).reduce(nil) { $0?.union($1.columns) ?? $1.columns }
    }

    /// The requests that leave the note in place of earlier ones; none where it stands there.
    func requests(on sheetID: Int, of target: TargetSpreadsheet?) -> [JSON] {
        let earlier = target.map { Self.notes(on: sheetID, of: $0, installation) } ?? []
        if earlier.count == 1, earlier[0].columns == written { return [] }
        let note = written.map {
            SheetNote.add(key: Self.key, value: "\(installation)/\($0.text)", on: sheetID)
        }
        return earlier.map { SheetNote.delete($0.id) } + (note.map { [$0] } ?? [])
    }

    private static func notes(
        on sheetID: Int, of target: TargetSpreadsheet, _ installation: String
    ) -> [(id: Int, columns: WrittenColumns)] {
        (target.metadata[sheetID] ?? []).compactMap { note in
            guard note["metadataKey"]?.string == key, let id = note["metadataId"]?.int,
                // Whoever may edit the spreadsheet may write anything there.
                (0...Int(Int32.max)).contains(id),
                let parts = note["metadataValue"]?.string?.split(separator: "/", omittingEmptySubsequences: false),
                parts.count == 2, parts[0] == installation, let columns = WrittenColumns(parts[1])
            else { return nil }
            return (id, columns)
        }
    }
}

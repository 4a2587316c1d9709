import JSON
import SheetModel

/// The notes on a sheet that say which of its columns a job wrote: Google's developer metadata.
///
/// A later job empties those of them that it lacks itself; all others are somebody's own. One note on the sheet has what stands
/// for the names of all columns. Of up to 100 columns each has one of its own, which goes where the column goes, so that a
/// second column of the same name is not taken for it.
struct ColumnNote {
    private static let key = "sheetsync_columns"
    private static let anchorKey = "sheetsync_column"

    private let installation: String
    private let written: WrittenColumns?
    /// What stands for the name of each column; a column without a name has nothing but its mark.
    private let digests: [String]

    /// Makes the notes of a job's sheet.
    init(_ sheet: CheckedSheet, installation: String) {
        self.installation = installation
        written = WrittenColumns(sheet.columns, hasHeader: sheet.hasHeader)
        digests =
            sheet.hasHeader && sheet.columns.count <= ColumnAnchor.most
            ? sheet.columns.map { ColumnAnchor.digest($0.name) } : []
    }

    /// What the notes on a sheet say.
    static func read(on sheetID: Int, of target: TargetSpreadsheet, installation: String) -> WrittenColumns? {
        notes(on: sheetID, of: target, installation).reduce(nil) { $0?.union($1.columns) ?? $1.columns }
    }

    /// Reads the note of a single column; nil for what is none.
    static func anchor(_ note: JSON, on column: Int, installation: String) -> ColumnAnchor? {
        guard note["metadataKey"]?.string == anchorKey, let (id, value) = value(of: note, installation),
            value.utf8.count <= 8
        else { return nil }
        return ColumnAnchor(id: id, column: column, digest: value)
    }

    /// The requests that leave the notes in place of earlier ones; none where they stand there.
    ///
    /// - Parameter place: Where the columns stand; nil where they are the sheet's first ones.
    func requests(on sheetID: Int, of target: TargetSpreadsheet?, at place: SheetPlace?) -> [JSON] {
        let anchors = anchorRequests(on: sheetID, at: place)
        let earlier = target.map { Self.notes(on: sheetID, of: $0, installation) } ?? []
        if earlier.count == 1, earlier[0].columns == written { return anchors }
        let note = written.map {
            SheetMetadata.add(key: Self.key, value: "\(installation)/\($0.text)", on: sheetID)
        }
        return earlier.map { SheetMetadata.delete($0.id) } + (note.map { [$0] } ?? []) + anchors
    }

    private func anchorRequests(on sheetID: Int, at place: SheetPlace?) -> [JSON] {
        var missing: [Int: String] = [:]
        for (index, digest) in digests.enumerated() {
            missing[place?.columns[index] ?? index] = digest
        }
        var requests: [JSON] = []
        for anchor in place?.anchors ?? [] {
            if missing[anchor.column] == anchor.digest {
                missing[anchor.column] = nil
            } else {
                requests.append(SheetMetadata.delete(anchor.id))
            }
        }
        return requests
            + missing.sorted { $0.key < $1.key }.map { column, digest in
                SheetMetadata.add(
                    key: Self.anchorKey, value: "\(installation)/\(digest)", on: sheetID, column: column)
            }
    }

    private static func notes(
        on sheetID: Int, of target: TargetSpreadsheet, _ installation: String
    ) -> [(id: Int, columns: WrittenColumns)] {
        (target.metadata[sheetID] ?? []).compactMap { note in
            guard note["metadataKey"]?.string == key, let (id, value) = value(of: note, installation),
                let columns = WrittenColumns(value)
            else { return nil }
            return (id, columns)
        }
    }

    /// Reads a note of an installation; whoever may edit the spreadsheet may write anything there.
    private static func value(of note: JSON, _ installation: String) -> (id: Int, value: String)? {
        guard let id = note["metadataId"]?.int, (0...Int(Int32.max)).contains(id),
            let parts = note["metadataValue"]?.string?.split(separator: "/", omittingEmptySubsequences: false),
            parts.count == 2, parts[0] == installation
        else { return nil }
        return (id, String(parts[1]))
    }
}

import Google
import JSON
import JobQueue
import SheetModel

/// Changes the rows of a sheet that have the keys of a job's rows, where they differ; finds out which ones it lacks.
///
/// To do it all again does no harm: what is written is found the same.
struct SheetUpserter {
    let reader: SheetReader
    let sheet: CheckedSheet
    let places: ColumnPlaces
    let index: KeyIndex
    /// The rows of the sheet that may have a key.
    let rows: Range<Int>
    let batchBytes: Int

    /// What there was to do.
    struct Outcome {
        /// What the sheet says of the job by now.
        var marks: SheetMarks
        /// The job's rows that the sheet lacks.
        var missing: [Int32] = []
        /// Rows of the sheet whose key an earlier one has too.
        var repeated = 0
    }

    /// A row of the sheet and the job's row of the same key.
    private struct Pair {
        let there: Int32
        let here: Int32
    }

    /// Writes the rows that differ.
    ///
    /// - Throws: `SheetChanged` where rows were moved meanwhile; some may be written then.
    func update(_ marks: SheetMarks, to place: KeptSheet.Place) async throws -> Outcome {
        var (marks, reader) = (marks, reader)
        let (pairs, repeated) = try await pairs(&reader)
        // The key is there, and may be a formula of somebody's own.
        let others = sheet.columns.indices.filter { !index.columns.contains($0) }
        var updates = RowUpdates(
            sheetID: reader.sheet.id, columns: sheet.columns, chosen: others, places: places,
            headerRow: rows.lowerBound - 1, batchBytes: batchBytes)
        var lines = LineReader(sheet.rows)
        let decoder = RowDecoder(sheet.columns)
        var (done, isSaved) = (0, false)
        func write() async throws {
            guard updates.rows > 0 else { return }
            if !isSaved { try await place.save(.upsert, done) }
            isSaved = true
            // A late write of an earlier worker must not bring back what a later job has changed.
            let body = updates.takeBody(with: marks.add(1))
            _ = try await place.client.batchUpdate(place.spreadsheetID, body: body)
        }
        while done < pairs.count {
            let left = pairs[done...]
            let found = try await reader.cells(places, ofFirst: left.lazy.map { Int($0.there) })
            for (pair, found) in zip(left, found) {
                guard let line = try lines.line(Int(pair.here)) else { continue }
                let wanted = try decoder.cells(of: line)
                try checkKey(found, wanted)
                // What an object does not name stays as it is.
                let named = sheet.members?.columns(ofRow: Int(pair.here)).map { named in others.filter(named.contains) }
                if (named ?? others).allSatisfy({ Self.isSame(found[$0], wanted[$0]) }) { continue }
                updates.add(line, at: Int(pair.there), columns: named)
                if updates.isFull { try await write() }
            }
            done += found.count
            await place.report(done)
        }
        try await write()
        var isThere = [Bool](repeating: false, count: sheet.rows.count)
        for pair in pairs { isThere[Int(pair.here)] = true }
        return Outcome(
            marks: marks, missing: isThere.indices.lazy.filter { !isThere[$0] }.map { Int32($0) }, repeated: repeated)
    }

    /// Reads the keys of the sheet; the pairs come in the order of its rows.
    private func pairs(_ reader: inout SheetReader) async throws -> ([Pair], repeated: Int) {
        let columns = index.columns.map { places.indices[$0] }
        var isTaken = [Bool](repeating: false, count: sheet.rows.count)
        var pairs: [Pair] = []
        var repeated = 0
        var next = self.rows.lowerBound
        while next < self.rows.upperBound {
            let (keys, rows) = try await reader.keys(in: columns, from: next)
            next = rows.upperBound
            for (offset, key) in keys.enumerated() where rows.lowerBound + offset < self.rows.upperBound {
                guard let row = index.row(withKey: key) else { continue }
                if isTaken[row] {
                    repeated += 1
                } else {
                    isTaken[row] = true
                    pairs.append(Pair(there: Int32(rows.lowerBound + offset), here: Int32(row)))
                }
            }
        }
        return (pairs, repeated)
    }

    /// A row that has another key by now has changed places.
    private func checkKey(_ found: [Cell?], _ wanted: [Cell]) throws {
        for column in index.columns {
            // What a formula comes to was looked at before.
            if case .formula = found[column]?.value { continue }
            guard found[column]?.value.isExactly(wanted[column].value) == true else { throw SheetChanged() }
        }
    }

    private static func isSame(_ found: Cell?, _ wanted: Cell) -> Bool {
        guard let found, found.value.isExactly(wanted.value) else { return false }
        return wanted.link == nil || wanted.link == found.link
    }
}

/// A row changed its place while a job read its sheet, which has to be read anew.
struct SheetChanged: Error {}

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
    /// The row of the header, and what its cells under the job's columns hold.
    let header: (row: Int, values: [CellValue?])
    /// The rows of the sheet that may have a key.
    let rows: Range<Int>
    let batchBytes: Int
    /// Throws where the columns are not any more where they were.
    let look: () async throws -> Void

    /// What there was to do.
    struct Outcome {
        /// What the sheet says of the job by now.
        var fence: AppendFence
        /// The job's rows that the sheet lacks.
        var missing: [Int32] = []
        /// Rows of the sheet whose key an earlier one has too.
        var repeated = 0
        /// Whether people had the time to move columns meanwhile.
        var tookTime = false
    }

    /// A row of the sheet and the job's row of the same key.
    private struct Pair {
        let there: Int32
        let here: Int32
    }

    /// Writes the rows that differ.
    ///
    /// - Throws: `SheetChanged` where rows were moved meanwhile; some may be written then.
    func update(_ fence: AppendFence, to place: IncrementalSheet.Place) async throws -> Outcome {
        var (fence, reader) = (fence, reader)
        let (pairs, repeated, answers) = try await pairs(&reader)
        // The key is there, and may be a formula of somebody's own.
        let others = sheet.columns.indices.filter { !index.columns.contains($0) }
        var updates = RowUpdates(
            sheetID: reader.sheet.id, columns: sheet.columns, chosen: others, places: places,
            headerRow: header.row, batchBytes: batchBytes)
        var lines = LineReader(sheet.rows)
        let decoder = RowDecoder(sheet.columns)
        var (done, isSaved, hasLooked) = (0, false, false)
        func write() async throws {
            guard updates.rows > 0 else { return }
            if !hasLooked { try await look() }
            hasLooked = false
            if !isSaved { try await place.save(.upsert, done) }
            isSaved = true
            // A late write of an earlier worker must not bring back what a later job has changed.
            let body = updates.takeBody(with: fence.add(1))
            _ = try await place.client.batchUpdate(place.spreadsheetID, body: body)
        }
        while done < pairs.count {
            let left = pairs[done...]
            // The header with them, which tells whether the columns are still there.
            let (names, found) = try await reader.cells(
                places, ofFirst: left.lazy.map { Int($0.there) }, below: header.row)
            guard zip(names, header.values).allSatisfy({ Self.isSame($0?.value, $1) }) else { throw SheetChanged() }
            hasLooked = true
            for (pair, found) in zip(left, found) {
                guard let line = try lines.line(Int(pair.here)) else { continue }
                let wanted = try decoder.cells(of: line)
                try checkKey(found, wanted)
                // What an object does not name stays as it is.
                let named = sheet.members?.columns(ofRow: Int(pair.here)).map { named in others.filter(named.contains) }
                let changed = (named ?? others).filter { !isSame($0, found[$0], wanted[$0]) }
                if changed.isEmpty { continue }
                // Cells that are right are written along, unless something of a person's would be lost.
                let written = (named ?? others).filter { changed.contains($0) || found[$0]?.isPlain == true }
                updates.add(line, at: Int(pair.there), columns: written)
                if updates.isFull { try await write() }
            }
            done += found.count
            await place.report(done)
        }
        try await write()
        var isThere = [Bool](repeating: false, count: sheet.rows.count)
        for pair in pairs { isThere[Int(pair.here)] = true }
        return Outcome(
            fence: fence, missing: isThere.indices.lazy.filter { !isThere[$0] }.map { Int32($0) }, repeated: repeated,
            tookTime: isSaved || answers > 1 || !pairs.isEmpty)
    }

    /// Reads the keys of the sheet; the pairs come in the order of its rows.
    private func pairs(_ reader: inout SheetReader) async throws -> ([Pair], repeated: Int, answers: Int) {
        let columns = index.columns.map { places.indices[$0] }
        var isTaken = [Bool](repeating: false, count: sheet.rows.count)
        var pairs: [Pair] = []
        var (repeated, answers) = (0, 0)
        var next = self.rows.lowerBound
        while next < self.rows.upperBound {
            let (keys, rows) = try await reader.keys(in: columns, from: next)
            next = rows.upperBound
            answers += 1
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
        return (pairs, repeated, answers)
    }

    /// A row that has another key by now has changed places.
    private func checkKey(_ found: [FoundCell?], _ wanted: [Cell]) throws {
        for column in index.columns {
            // What a formula comes to was looked at before.
            if case .formula = found[column]?.value { continue }
            guard found[column]?.value.isExactly(wanted[column].value) == true else { throw SheetChanged() }
        }
    }

    /// Whether a cell has what the job wants: a formula that shows it will do, and only a column of links has a say on links.
    private func isSame(_ column: Int, _ found: FoundCell?, _ wanted: Cell) -> Bool {
        guard let found, found.value.isExactly(wanted.value) || found.shown?.isExactly(wanted.value) == true else {
            return false
        }
        return sheet.columns[column].type != .link || found.link == wanted.link
    }

    private static func isSame(_ one: CellValue?, _ other: CellValue?) -> Bool {
        guard let one, let other else { return one == nil && other == nil }
        return one.isExactly(other)
    }
}

import Google
import JSON
import JobQueue
import SheetModel

extension SheetMirror {
    /// Writes, and looks at the answer.
    ///
    /// - Returns: What somebody moved meanwhile; nil for nothing.
    func send(
        _ comparison: MirrorComparison, _ repairs: MirrorRepairs, _ found: Found, _ snapshot: MirrorSnapshot
    ) async throws -> MirrorSlip? {
        var fence = job.fence(on: found.existing.id, place, found.target)
        var batches = MirrorBatches(
            comparison, deleting: repairs.strays, sheetID: found.existing.id, places: found.places,
            insertions: try insertions(comparison, found, snapshot), batchBytes: job.batchBytes)
        try await place.save(.upsert, 0)
        let columns = source.keyColumns.map { found.places.indices[$0] }
        let title = found.existing.title
        let header = A1Range(
            sheet: title, columns: 0..<max(snapshot.header.count, found.places.width), startRow: found.head.row,
            endRow: found.head.row + 1)
        let ranges = ([header] + columns.map { A1Range(sheet: title, columns: $0..<$0 + 1) }).map {
            $0?.description ?? ""
        }
        let cells = (snapshot.keys.count + comparison.insertions.count + 1_000) * columns.count + snapshot.header.count
        var before =
            headerRequests(found, snapshot) + repairs.requests(on: found.existing.id) + room(comparison, found)
        while let batch = try batches.next() {
            let guards = fence.add(1) + before
            before = []
            guard batch.isLast else {
                _ = try await place.client.batchUpdate(place.spreadsheetID, body: batch.body(with: guards, showing: []))
                continue
            }
            let answer: JSON
            do throws(GoogleError) {
                answer = try await place.client.batchUpdate(
                    place.spreadsheetID, body: batch.body(with: guards, showing: ranges),
                    showing: "sheets.data(startRow,startColumn,rowData.values.effectiveValue)", cells: cells)
            } catch {
                guard error.mayHaveTakenEffect else { throw error }
                // Only what was read before it tells what it may have met.
                return MirrorSlip(
                    comparison, deleting: repairs.strays, snapshot, places: found.places, bodyEnd: found.table?.bodyEnd,
                    addsInPlace: addsInPlace(found, snapshot))
            }
            guard place.rehearsed == nil else { return nil }
            return try slip(answer, comparison, repairs.strays, found, snapshot)
        }
        return nil
    }

    /// Where nothing would be left below the header and what is frozen, one row is added first: Google refuses to delete the
    /// last one.
    private func room(_ comparison: MirrorComparison, _ found: Found) -> [JSON] {
        let kept = max(found.head.row + 1, found.existing.frozenRows)
        guard !comparison.deletions.isEmpty, found.existing.rows - comparison.deletions.count <= kept else { return [] }
        return [["appendDimension": ["sheetId": JSON(found.existing.id), "dimension": "ROWS", "length": 1]]]
    }

    /// Whether rows are not added below all others, wherever those end when the write arrives.
    private func addsInPlace(_ found: Found, _ snapshot: MirrorSnapshot) -> Bool {
        found.table == nil && (job.position.headerRow != nil || found.head.hasBoxes || snapshot.endsWithBoxes)
    }

    private func insertions(
        _ comparison: MirrorComparison, _ found: Found, _ snapshot: MirrorSnapshot
    ) throws -> AppendPlan? {
        guard !comparison.insertions.isEmpty else { return nil }
        var existing = found.existing
        existing.rows = max(found.head.row + 1, existing.rows - comparison.deletions.count)
        var below = found.table.map(AppendPlan.Below.table) ?? .sheet
        // The header's requests make it wide enough.
        existing.columns = max(existing.columns, found.places.width)
        if addsInPlace(found, snapshot) {
            below = .row(snapshot.end - comparison.deletions.count { $0 < snapshot.end })
        }
        var formats: [JSON?] = Array(repeating: nil, count: found.places.width)
        for (place, format) in zip(found.places.indices, found.head.formats) { formats[place] = format }
        return try job.checked { () throws(SheetModelError) in
            try AppendPlan(
                job.sheet, rows: comparison.insertions, below: existing, of: [existing], at: below,
                headerRow: found.head.row, places: found.places, formats: formats, batchBytes: job.batchBytes)
        }
    }

    /// The request that writes some fields of one cell.
    static func write(_ cell: JSON, atRow row: Int, column: Int, on sheetID: Int, fields: String) -> JSON {
        [
            "updateCells": [
                "start": ["sheetId": JSON(sheetID), "rowIndex": JSON(row), "columnIndex": JSON(column)],
                "fields": .string(fields), "rows": [["values": [cell]]],
            ]
        ]
    }

    /// The header's new names, what the columns ask for, and the note on how fresh the rows are.
    private func headerRequests(_ found: Found, _ snapshot: MirrorSnapshot) -> [JSON] {
        func cell(_ column: Int, _ cell: JSON, _ fields: String) -> JSON {
            Self.write(
                cell, atRow: found.head.row, column: found.places.indices[column], on: found.existing.id, fields: fields
            )
        }
        var requests: [JSON] = []
        let missing = found.places.width - found.existing.columns
        if missing > 0 {
            requests.append([
                "appendDimension": [
                    "sheetId": JSON(found.existing.id), "dimension": "COLUMNS", "length": JSON(missing),
                ]
            ])
        }
        requests += found.unnamed.map { column in
            cell(
                column, ["userEnteredValue": ["stringValue": .string(job.sheet.columns[column].name)]],
                "userEnteredValue")
        }
        requests += MirrorBatches.settings(
            of: job.sheet.columns, at: found.places, sheetID: found.existing.id, headerRow: found.head.row)
        let place = found.places.indices[0]
        let there = place < snapshot.headerNotes.count ? snapshot.headerNotes[place] : ""
        let wanted = job.sheet.columns[0].note ?? there
        let note = MirrorNote(rows: source.sheet.rows.count, timeZone: found.target.timeZone)
        let text = options.hasNote ? note.text(beside: wanted) : MirrorNote.others(in: wanted)
        // Google would refuse the whole write for it.
        let isProtected = (found.target.protected[found.existing.id] ?? []).contains {
            $0.block.rows.contains(found.head.row) && $0.block.columns.contains(place)
        }
        return text == there || isProtected ? requests : requests + [cell(0, ["note": .string(text)], "note")]
    }

    /// Compares the keys as the answer has them with those that there should be.
    private func slip(
        _ answer: JSON, _ comparison: MirrorComparison, _ strays: [Int], _ found: Found, _ snapshot: MirrorSnapshot
    ) throws -> MirrorSlip? {
        let parts = answer["sheets"]?[0]?["data"]?.array ?? []
        guard parts.count == 1 + source.keyColumns.count else { throw SheetChanged() }
        let header = (parts[0]["rowData"]?[0]?["values"]?.array ?? []).map(\.plainText)
        var columns: [[CellValue]] = []
        for part in parts.dropFirst() {
            let top = try GoogleNumber.index(part["startRow"], "startRow")
            var values = Array(repeating: CellValue.empty, count: top)
            for row in part["rowData"]?.elements ?? JSONElements([]) {
                values.append(row["values"]?[0].map(MirrorCells.value) ?? .empty)
            }
            columns.append(values)
        }
        return MirrorSlip(
            comparison, deleting: strays, snapshot, places: found.places, header: header, keys: columns,
            bodyEnd: found.table?.bodyEnd,
            addsInPlace: addsInPlace(found, snapshot))
    }
}

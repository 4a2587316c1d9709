import Google
import JSON
import JobQueue
import SheetModel

extension SheetMirror {
    /// How many cells one answer has at most where a sheet is read in pieces.
    private static let cellsAtOnce = 160_000

    /// Finds the columns where the last run found them, in one read with all cells; nil where something is not as it was.
    func found(_ record: MirrorMemory.Record) async throws -> Found? {
        let fields =
            "spreadsheetUrl,properties.timeZone,sheets(\(TargetSpreadsheet.sheetFields)),\(MirrorCells.fields(job.sheet.columns))"
        guard let answer = try await wholeSheet(record.sheetID, fields) else { return nil }
        let target = try TargetSpreadsheet(place.spreadsheetID, of: place.installation, answer)
        try await checkZone(of: target)
        guard let existing = target.sheet(named: job.sheet.name), existing.id == record.sheetID,
            record.head.row < existing.rows
        else { return nil }
        let names = try Self.header(in: answer, row: record.head.row).map(\.plainText)
        let places = record.head.names.map { name in names.indices.filter { names[$0] == name } }
        guard places.allSatisfy({ $0.count == 1 }), Set(places.map { $0[0] }).count == places.count else { return nil }
        let columns = ColumnPlaces(at: places.map { $0[0] })
        let table = try existing.table(of: job.sheet, at: job.position, forSheet: job.index)
        let row = table?.block.rows.lowerBound ?? job.position.headerRow ?? 0
        guard row == record.head.row else { return nil }
        return Found(
            target: target, existing: existing, head: record.head, places: columns,
            table: table ?? existing.table(headedBy: row, columns: columns.indices),
            answer: Answer(answer))
    }

    private static func header(in answer: JSON, row wanted: Int) throws -> [JSON] {
        for part in answer["sheets"]?[0]?["data"]?.array ?? [] {
            let top = try GoogleNumber.index(part["startRow"], "startRow")
            guard wanted >= top else { continue }
            let rows = (part["rowData"]?.elements ?? JSONElements([])).makeIterator()
            for _ in top..<wanted { _ = rows.next() }
            if let row = rows.next() { return row["values"]?.array ?? [] }
        }
        return []
    }

    /// Reads all of a sheet; nil where that is not there any more or too much for one answer.
    private func wholeSheet(_ id: Int, _ fields: String) async throws(GoogleError) -> JSON? {
        do {
            return try await place.client.sheet(
                id, of: place.spreadsheetID, rows: nil, cells: Self.cellsAtOnce * 4, fields: fields)
        } catch {
            guard error.code == .badRequest || error.code == .answerTooLarge else { throw error }
            return nil
        }
    }

    /// Makes sure that the job's times were read for the zone in which the spreadsheet shows them.
    func checkZone(of target: TargetSpreadsheet) async throws {
        guard let wanted = context.timeZone, let name = target.timeZone,
            (try? TimeZoneRules(named: name))?.googleName != wanted
        else { return }
        try await context.memory.forgetZone(of: place.spreadsheetID)
        throw JobFailure(
            .sheetChanged,
            "The spreadsheet's time zone was changed to \(name) meanwhile; nothing was written, and the job is tried again with that.",
            retry: .backoff)
    }

    /// Finds the columns by what the header shows; nil where the sheet is missing or empty.
    func search(_ target: TargetSpreadsheet) async throws -> Found? {
        guard let existing = try job.existing(in: target) else { return nil }
        let reader = SheetReader(
            spreadsheetID: place.spreadsheetID, sheet: existing, client: place.client, calls: place.calls)
        let row = try job.headerRow(in: existing)
        let head = try await reader.head(at: row)
        let present = Set(head.names + head.plain)
        // Without its key no row would be found, and each would be added again.
        let hasKey = options.key.allSatisfy(present.contains) || head.names.allSatisfy(\.isEmpty)
        let width = options.addsColumns && hasKey ? try await usedWidth(existing, head, row) : nil
        guard let header = try await job.header(head, at: row, in: existing, reader, addingFrom: width) else {
            return nil
        }
        let places = header.places.indices
        let names = places.enumerated().map { column, place in
            header.unnamed.contains(column)
                ? job.sheet.columns[column].name : place < head.plain.count ? head.plain[place] : ""
        }
        let formats = places.map { $0 < head.formats.count ? head.formats[$0] : nil }
        return Found(
            target: target, existing: existing,
            head: MirrorHead(row: row, names: names, formats: formats, hasBoxes: head.hasBoxes), places: header.places,
            table: header.table, unnamed: header.unnamed)
    }

    /// How many columns of the sheet hold anything, where the header lacks one of the job's; else as many as the header has.
    private func usedWidth(_ existing: ExistingSheet, _ head: SheetReader.Head, _ row: Int) async throws -> Int {
        let names = Set(head.names + head.plain)
        guard job.sheet.columns.contains(where: { !names.contains($0.name) }) else { return head.names.count }
        var snapshot = MirrorSnapshot(headerRow: row)
        try await read(existing, from: row + 1, MirrorCells.fields([])) { _, values in
            snapshot.add(values, key: nil, countingIn: nil)
        }
        return max(snapshot.width, head.names.lastIndex { !$0.isEmpty }.map { $0 + 1 } ?? 0)
    }

    /// Reads all cells and compares each row as it comes.
    ///
    /// - Returns: What was read, and how many bytes the answers had.
    func compare(
        _ found: Found, _ comparison: inout MirrorComparison
    ) async throws -> (snapshot: MirrorSnapshot, size: Int) {
        let cells = MirrorCells(columns: job.sheet.columns, places: found.places)
        var snapshot = MirrorSnapshot(headerRow: found.head.row)
        let counting = job.position.headerRow == nil ? nil : Set(found.places.indices)
        let last = found.table?.bodyEnd ?? .max
        func take(_ row: Int, _ values: [JSON]) throws {
            if row == found.head.row { snapshot.setHeader(values) }
            guard row > found.head.row else { return }
            if row.isMultiple(of: 1_000) { try Task.checkCancellation() }
            let key = row < last ? try comparison.take(row: row, cells.cells(of: values)) : nil
            snapshot.add(values, key: key, countingIn: counting)
        }
        var size = place.calls.lastAnswer
        if let answer = found.answer?.json {
            found.answer?.json = nil
            try Self.rows(of: answer, take)
        } else {
            size = try await read(found.existing, from: found.head.row, MirrorCells.fields(job.sheet.columns), take)
        }
        comparison.finish()
        return (snapshot, size)
    }

    /// Reads the rows of a sheet from one on, in answers of bounded size.
    ///
    /// - Returns: How many bytes those had.
    @discardableResult
    private func read(
        _ existing: ExistingSheet, from row: Int, _ fields: String, _ take: (Int, [JSON]) throws -> Void
    ) async throws -> Int {
        var (next, bytes) = (row, 0)
        var size = ReadBatchSize(cells: Self.cellsAtOnce)
        while next < existing.rows {
            let rows = next..<min(next + size.rows(ofWidth: existing.columns), existing.rows)
            let cells = rows.count * existing.columns
            do {
                let answer = try await place.client.sheet(
                    existing.id, of: place.spreadsheetID, rows: rows, cells: cells, fields: fields)
                bytes += place.calls.lastAnswer
                try Self.rows(of: answer, take)
                next = rows.upperBound
            } catch let error as GoogleError where error.code == .answerTooLarge && rows.count > 1 {
                size.halve(from: cells)
            }
        }
        return bytes
    }

    /// Hands on each row of an answer with its index in the sheet; rows that it leaves out are empty.
    private static func rows(of answer: JSON, _ take: (Int, [JSON]) throws -> Void) throws {
        for part in answer["sheets"]?[0]?["data"]?.array ?? [] {
            let top = try GoogleNumber.index(part["startRow"], "startRow")
            for (offset, row) in (part["rowData"]?.elements ?? JSONElements([])).enumerated() {
                try take(top + offset, row["values"]?.array ?? [])
            }
        }
    }
}

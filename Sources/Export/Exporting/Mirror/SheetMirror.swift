import Arithmetic
import Google
import JSON
import JobQueue
import SheetModel

/// Keeps a sheet the same as the rows of a job: one read, and where something differs one write.
///
/// Where rows stand is read right before the write and never kept; which rows it wrote before, the queue's database knows.
/// People may sort, insert, move, hide and filter at any moment: the write's own answer tells whether somebody did so between
/// the read and the write, and then what went wrong is put right at once.
struct SheetMirror {
    let job: IncrementalSheet
    let options: MirrorOptions
    let place: IncrementalSheet.Place
    let context: MirrorContext
    private let source: MirrorSource
    /// Tells the columns and the key of this job from those of others.
    private let definition: String

    /// More rows than these are refused: a mirror compares each of them on every run.
    static let mostRows = 100_000
    /// How many cells one answer has at most.
    private static let cellsAtOnce = 160_000
    private static let rounds = 4

    init(_ job: IncrementalSheet, _ options: MirrorOptions, _ place: IncrementalSheet.Place, _ context: MirrorContext)
        throws
    {
        (self.job, self.options, self.place, self.context) = (job, options, place, context)
        guard job.sheet.rows.count <= Self.mostRows else {
            throw JobFailure(
                .payloadInvalid,
                "sheets[\(job.index)]: a mirror holds at most \(Self.mostRows.grouped) rows, got \(job.sheet.rows.count.grouped); "
                    + "let the query give less, or use the mode replace.", retry: .never)
        }
        source = try MirrorSource(job.sheet, key: options.key)
        definition = Self.definition(job.sheet.columns, options.key)
    }

    /// The digest of columns and key.
    static func definition(_ columns: [Column], _ key: [String]) -> String {
        var hash = FNV1a()
        let parts = columns.flatMap { [$0.name, $0.type.rawValue] } + ["key"] + key
        for part in parts { hash.add("\(part.utf8.count) \(part)".utf8Span.span) }
        return String(hash.value, radix: 16)
    }

    /// Where the columns stand in the sheet.
    private struct Found {
        let target: TargetSpreadsheet
        let existing: ExistingSheet
        let head: MirrorHead
        let places: ColumnPlaces
        let table: SheetTable?
        /// The job's columns whose names are still to be written into the header.
        var unnamed: [Int] = []
        /// What was read along with it, where that was the whole sheet.
        var answer: JSON?
    }

    /// What became of one round.
    private struct Round {
        let outcome: IncrementalSheet.Outcome
        /// What to put right, where somebody moved something meanwhile.
        var slip: MirrorSlip?
        /// Whether it put something right.
        let isRepaired: Bool
    }

    /// Brings the sheet up to date.
    ///
    /// - Parameter target: What Sheets tells of the spreadsheet, where that was asked already.
    func write(_ target: TargetSpreadsheet?) async throws -> IncrementalSheet.Outcome {
        let record =
            context.isFromScratch ? nil : try await context.memory.find(job.sheet.name, of: place.spreadsheetID)
        if let record, Self.isUpToDate(record, definition, source.digest), place.rehearsed == nil {
            return outcome(on: record.sheetID, unchanged: source.sheet.rows.count)
        }
        var target = target
        var (slip, slips, owed) = (MirrorSlip?.none, 0, [Digest128: [JSON]]())
        var first: IncrementalSheet.Outcome?
        for round in 0..<Self.rounds {
            var found: Found?
            if round == 0, let record, record.definition == definition, record.isFresh {
                found = try await self.found(record)
            }
            if found == nil {
                let now: TargetSpreadsheet
                if let target {
                    now = target
                } else {
                    now = try await TargetSpreadsheet(place.spreadsheetID, of: place.installation, using: place.client)
                }
                target = nil
                guard let searched = try await search(now) else { return try await make(in: now) }
                found = searched
            }
            guard let found else { break }
            do {
                let done = try await attempt(found, record, slip, &owed)
                first = first ?? done.outcome
                slip = done.slip
                if done.isRepaired || slip?.isCertain == true { slips += 1 }
                guard slip == nil, owed.isEmpty, var outcome = first else { continue }
                if slips > 0 { outcome.warnings.append(mended(slips)) }
                return outcome
            } catch is SheetChanged { continue }
        }
        throw JobFailure(
            .sheetChanged,
            "sheets[\(job.index)]: rows or columns of the sheet changed their places each time that it was read; what was written "
                + "stands, and the job is tried again.", retry: .backoff)
    }

    /// Whether nothing need be asked or written: the rows are those of the last time, and the sheet was read in the last hour.
    static func isUpToDate(_ record: MirrorMemory.Record, _ definition: String, _ digest: Digest128) -> Bool {
        record.isFresh && record.definition == definition && record.result == digest.description
    }

    // MARK: Where the columns stand

    /// Finds the columns where the last run found them, in one read with all cells; nil where something is not as it was.
    private func found(_ record: MirrorMemory.Record) async throws -> Found? {
        let fields =
            "spreadsheetUrl,properties.timeZone,sheets(\(TargetSpreadsheet.sheetFields)),\(MirrorCells.fields(job.sheet.columns))"
        guard let answer = try await wholeSheet(record.sheetID, fields) else { return nil }
        let target = try TargetSpreadsheet(place.spreadsheetID, of: place.installation, answer)
        guard let existing = target.sheet(named: job.sheet.name), existing.id == record.sheetID,
            record.head.row < existing.rows, target.timeZone == record.timeZone
        else { return nil }
        var header: [JSON] = []
        for part in answer["sheets"]?[0]?["data"]?.array ?? [] {
            let top = try GoogleNumber.index(part["startRow"], "startRow")
            for (offset, row) in (part["rowData"]?.elements ?? JSONElements([])).enumerated() {
                guard top + offset < record.head.row else {
                    if top + offset == record.head.row { header = row["values"]?.array ?? [] }
                    break
                }
            }
        }
        let names = header.map(\.plainText)
        let places = record.head.names.map { name in names.indices.filter { names[$0] == name } }
        guard places.allSatisfy({ $0.count == 1 }), Set(places.map { $0[0] }).count == places.count else { return nil }
        let columns = ColumnPlaces(at: places.map { $0[0] })
        let table = try existing.table(of: job.sheet, at: job.position, forSheet: job.index)
        let row = table?.block.rows.lowerBound ?? job.position.headerRow ?? 0
        guard row == record.head.row else { return nil }
        return Found(
            target: target, existing: existing, head: record.head, places: columns,
            table: table ?? existing.table(headedBy: row, columns: columns.indices), answer: answer)
    }

    /// Reads all of a sheet; nil where that is not there any more or too much for one answer.
    private func wholeSheet(_ id: Int, _ fields: String) async throws(GoogleError) -> JSON? {
        do {
            return try await place.client.sheet(
                id, of: place.spreadsheetID, rows: nil, cells: Self.cellsAtOnce, fields: fields)
        } catch {
            guard error.code == .badRequest || error.code == .answerTooLarge else { throw error }
            return nil
        }
    }

    /// Finds the columns by what the header shows; nil where the sheet is missing or empty.
    private func search(_ target: TargetSpreadsheet) async throws -> Found? {
        guard let existing = try job.existing(in: target) else { return nil }
        let reader = SheetReader(
            spreadsheetID: place.spreadsheetID, sheet: existing, client: place.client, calls: place.calls)
        let row = try job.headerRow(in: existing)
        let head = try await reader.head(at: row)
        let width = options.addsColumns ? try await usedWidth(existing, head, row) : nil
        guard let header = try await job.header(head, at: row, in: existing, reader, addingFrom: width) else {
            return nil
        }
        let known = MirrorHead(
            row: row,
            names: header.places.indices.enumerated().map { column, place in
                header.unnamed.contains(column)
                    ? job.sheet.columns[column].name : place < head.plain.count ? head.plain[place] : ""
            }, formats: head.formats, hasBoxes: head.hasBoxes)
        return Found(
            target: target, existing: existing, head: known, places: header.places, table: header.table,
            unnamed: header.unnamed)
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

    // MARK: One round

    /// Compares and writes once.
    ///
    /// - Parameters:
    ///   - slip: What went wrong with the write before.
    ///   - owed: What people had beside rows that are to be added again.
    private func attempt(
        _ found: Found, _ record: MirrorMemory.Record?, _ slip: MirrorSlip?, _ owed: inout [Digest128: [JSON]]
    ) async throws -> Round {
        let isKnown = record?.definition == definition && record?.sheetID == found.existing.id
        let base = isKnown ? try await context.memory.base(of: job.sheet.name, in: place.spreadsheetID) : .empty
        var comparison = MirrorComparison(source, base: base, onEdit: options.onEdit, onDelete: options.onDelete)
        let snapshot = try await compare(found, &comparison)
        var repairs = slip?.repairs(in: snapshot, places: found.places, among: source) ?? MirrorRepairs()
        repairs.owed.merge(owed) { new, _ in new }
        repairs.settle(in: snapshot, places: found.places)
        owed = repairs.owed
        if slip == nil { try check(comparison, base) }
        try checkProtection(comparison, found, snapshot)
        var outcome = outcome(on: found.existing.id, unchanged: 0)
        outcome.summary.changes = comparison.counts
        outcome.warnings = warnings(comparison, isKnown ? nil : record)
        var now = MirrorMemory.Record(
            sheetID: found.existing.id, definition: definition, result: "", timeZone: found.target.timeZone ?? "UTC",
            url: found.target.url, head: found.head, isFresh: true)
        let isWriting = !comparison.isEmpty || !repairs.isEmpty || !found.unnamed.isEmpty
        if isWriting, place.rehearsed == nil {
            if isKnown {
                try await context.memory.begin(comparison.insertedKeys, in: job.sheet.name, of: place.spreadsheetID)
            } else {
                try await context.memory.save(
                    now, base, pending: comparison.insertedKeys, of: job.sheet.name, in: place.spreadsheetID)
            }
        }
        if isWriting {
            if let slip = try await send(comparison, repairs, found, snapshot, isFirst: !isKnown) {
                return Round(outcome: outcome, slip: slip, isRepaired: !repairs.isEmpty)
            }
        }
        if place.rehearsed == nil {
            now = MirrorMemory.Record(
                sheetID: now.sheetID, definition: definition, result: source.digest.description, timeZone: now.timeZone,
                url: now.url, head: now.head, isFresh: true)
            try await context.memory.save(now, try comparison.newBase(), of: job.sheet.name, in: place.spreadsheetID)
        }
        return Round(outcome: outcome, isRepaired: !repairs.isEmpty)
    }

    /// Reads all cells and compares each row as it comes.
    private func compare(_ found: Found, _ comparison: inout MirrorComparison) async throws -> MirrorSnapshot {
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
        if let answer = found.answer {
            try Self.rows(of: answer, take)
        } else {
            try await read(found.existing, from: found.head.row, MirrorCells.fields(job.sheet.columns), take)
        }
        comparison.finish()
        return snapshot
    }

    /// Reads the rows of a sheet from one on, in answers of bounded size.
    private func read(
        _ existing: ExistingSheet, from row: Int, _ fields: String, _ take: (Int, [JSON]) throws -> Void
    ) async throws {
        var next = row
        var size = ReadBatchSize(cells: Self.cellsAtOnce)
        while next < existing.rows {
            let rows = next..<min(next + size.rows(ofWidth: existing.columns), existing.rows)
            let cells = rows.count * existing.columns
            do {
                let answer = try await place.client.sheet(
                    existing.id, of: place.spreadsheetID, rows: rows, cells: cells, fields: fields)
                try Self.rows(of: answer, take)
                next = rows.upperBound
            } catch let error as GoogleError where error.code == .answerTooLarge && rows.count > 1 {
                size.halve(from: cells)
            }
        }
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

    /// Refuses what is more likely a mistake of the query than meant.
    private func check(_ comparison: MirrorComparison, _ base: MirrorBase) throws {
        if source.sheet.rows.count == 0, base.count > 0, !options.allowsEmpty, !context.allowsDeletes {
            throw JobFailure(
                .emptyResult,
                "sheets[\(job.index)]: there are no rows now, and the sheet \"\(job.sheet.name)\" has \(base.count.grouped); nothing "
                    + "was changed. If that is right, set allow_empty.", retry: .never)
        }
        let most = options.mostDeletes.count(of: base.count)
        guard comparison.deletions.count <= most || context.allowsDeletes || source.sheet.rows.count == 0 else {
            throw JobFailure(
                .tooManyDeletes,
                "sheets[\(job.index)]: \(comparison.deletions.count.grouped) of the \(base.count.grouped) rows that were written last "
                    + "are to be deleted, and max_deletes allows \(most.grouped); nothing was changed. If that is right, let it "
                    + "through once with allow_deletes.", retry: .never)
        }
    }

    /// Refuses to write where a protected range would refuse the whole batch, and names it.
    private func checkProtection(_ comparison: MirrorComparison, _ found: Found, _ snapshot: MirrorSnapshot) throws {
        for protected in found.target.protected[found.existing.id] ?? [] {
            let (block, name) = (protected.block, protected.name)
            let columns = found.places.indices.filter(block.columns.contains)
            let isHit =
                comparison.deletions.contains(where: block.rows.contains)
                || !columns.isEmpty
                    && (comparison.updates.contains { update in
                        block.rows.contains(Int(update.row))
                            && update.columns.contains { columns.contains(found.places.indices[$0]) }
                    }
                        || !comparison.insertions.isEmpty
                            && block.rows.overlaps(snapshot.end..<snapshot.end + comparison.insertions.count))
            guard isHit else { continue }
            throw JobFailure(
                .protectedCells,
                "sheets[\(job.index)]: the range \(block.a1) of the sheet \"\(job.sheet.name)\"\(name.isEmpty ? "" : " (\(excerpt(name)))") "
                    + "is protected from this account, and cells in it are to be changed; nothing was written.",
                retry: .never)
        }
    }

    // MARK: The write

    /// Writes, and looks at the answer.
    ///
    /// - Returns: What somebody moved meanwhile; nil for nothing.
    private func send(
        _ comparison: MirrorComparison, _ repairs: MirrorRepairs, _ found: Found, _ snapshot: MirrorSnapshot,
        isFirst: Bool
    ) async throws -> MirrorSlip? {
        var fence = job.fence(on: found.existing.id, place, found.target)
        var batches = MirrorBatches(
            comparison, deleting: repairs.strays, sheetID: found.existing.id, places: found.places,
            insertions: try insertions(comparison, found, snapshot), batchBytes: job.batchBytes)
        try await place.save(.upsert, 0)
        let columns = source.keyColumns.map { found.places.indices[$0] }
        let ranges =
            [
                A1Range(
                    sheet: found.existing.title, columns: 0..<max(snapshot.header.count, found.places.width),
                    startRow: found.head.row, endRow: found.head.row + 1)?.description ?? ""
            ]
            + columns.map { A1Range(sheet: found.existing.title, columns: $0..<$0 + 1)?.description ?? "" }
        let before = headerRequests(found, snapshot, isFirst: isFirst) + repairs.requests(on: found.existing.id)
        var done = 0
        while let batch = try batches.next() {
            let guards = fence.add(1) + (done == 0 ? before : []) + room(comparison, found, batch)
            done += 1
            guard batch.isLast else {
                _ = try await place.client.batchUpdate(place.spreadsheetID, body: batch.body(with: guards, showing: []))
                continue
            }
            let cells =
                (snapshot.keys.count + comparison.insertions.count + 1_000) * columns.count + snapshot.header.count
            let answer: JSON
            do throws(GoogleError) {
                answer = try await place.client.batchUpdate(
                    place.spreadsheetID, body: batch.body(with: guards, showing: ranges),
                    showing: "sheets.data(startRow,startColumn,rowData.values.effectiveValue)", cells: cells)
            } catch {
                guard error.mayHaveTakenEffect else { throw error }
                // Only what was read before it tells what it may have met.
                return MirrorSlip(
                    comparison, deleting: repairs.strays, snapshot, places: found.places, bodyEnd: found.table?.bodyEnd)
            }
            guard place.rehearsed == nil else { return nil }
            return try slip(answer, comparison, repairs.strays, found, snapshot)
        }
        return nil
    }

    /// Where nothing would be left below the header, one row is added first: Google deletes no sheet's last row.
    private func room(_ comparison: MirrorComparison, _ found: Found, _ batch: MirrorBatches.Batch) -> [JSON] {
        guard batch.isLast, comparison.deletions.count >= found.existing.rows - found.head.row - 1 else { return [] }
        return [["appendDimension": ["sheetId": JSON(found.existing.id), "dimension": "ROWS", "length": 1]]]
    }

    private func insertions(
        _ comparison: MirrorComparison, _ found: Found, _ snapshot: MirrorSnapshot
    ) throws -> AppendPlan? {
        guard !comparison.insertions.isEmpty else { return nil }
        var existing = found.existing
        existing.rows = max(found.head.row + 1, existing.rows - comparison.deletions.count)
        var below = found.table.map(AppendPlan.Below.table) ?? .sheet
        if found.table == nil, job.position.headerRow != nil || found.head.hasBoxes {
            below = .row(snapshot.end - comparison.deletions.count { $0 < snapshot.end })
        }
        return try job.checked { () throws(SheetModelError) in
            try AppendPlan(
                job.sheet, rows: comparison.insertions, below: existing, of: [existing], at: below,
                headerRow: found.head.row,
                places: found.places, formats: found.head.formats, batchBytes: .max)
        }
    }

    /// The header's new names and its note on how fresh the rows are, and at first what the columns ask for.
    private func headerRequests(_ found: Found, _ snapshot: MirrorSnapshot, isFirst: Bool) -> [JSON] {
        func cell(_ column: Int, _ cell: JSON, _ fields: String) -> JSON {
            [
                "updateCells": [
                    "start": [
                        "sheetId": JSON(found.existing.id), "rowIndex": JSON(found.head.row),
                        "columnIndex": JSON(found.places.indices[column]),
                    ], "fields": .string(fields), "rows": [["values": [cell]]],
                ]
            ]
        }
        let missing = found.places.width - found.existing.columns
        let growth: [JSON] =
            missing > 0
            ? [
                [
                    "appendDimension": [
                        "sheetId": JSON(found.existing.id), "dimension": "COLUMNS", "length": JSON(missing),
                    ]
                ]
            ]
            : []
        let names = found.unnamed.map { column in
            cell(
                column, ["userEnteredValue": ["stringValue": .string(job.sheet.columns[column].name)]],
                "userEnteredValue")
        }
        let settings =
            isFirst
            ? MirrorBatches.settings(
                of: job.sheet.columns, at: found.places, sheetID: found.existing.id, headerRow: found.head.row) : []
        guard options.hasNote else { return growth + names + settings }
        let place = found.places.indices[0]
        let note = MirrorNote(rows: source.sheet.rows.count, timeZone: found.target.timeZone).text(
            beside: job.sheet.columns[0].note ?? (place < snapshot.headerNotes.count ? snapshot.headerNotes[place] : "")
        )
        return growth + names + settings + [cell(0, ["note": .string(note)], "note")]
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
            bodyEnd: found.table?.bodyEnd)
    }

    // MARK: New sheets

    /// Makes a sheet that is missing or empty.
    private func make(in target: TargetSpreadsheet) async throws -> IncrementalSheet.Outcome {
        let existing = try job.existing(in: target)
        let sheet = job.replacing(job.mode.noted(job.sheet, timeZone: target.timeZone))
        let plan = try sheet.made(from: existing, target)
        let head = MirrorHead(row: 0, names: job.sheet.columns.map(\.name), formats: [], hasBoxes: false)
        func record(_ result: String) -> MirrorMemory.Record {
            MirrorMemory.Record(
                sheetID: plan.summary.id, definition: definition, result: result, timeZone: target.timeZone ?? "UTC",
                url: target.url, head: head, isFresh: true)
        }
        if place.rehearsed == nil {
            try await context.memory.save(
                record(""), .empty, pending: source.allKeys, of: job.sheet.name, in: place.spreadsheetID)
        }
        var outcome = try await sheet.append(plan, to: place, after: nil, job.fence(on: plan.summary.id, place, target))
        if place.rehearsed == nil {
            try await context.memory.save(
                record(source.digest.description), try source.base(keepingCells: options.onEdit == .keep),
                of: job.sheet.name, in: place.spreadsheetID)
        }
        var changes = MirrorComparison.Counts()
        changes.inserted = source.sheet.rows.count
        outcome.summary.changes = changes
        return outcome
    }

    // MARK: Words

    private func outcome(on sheetID: Int, unchanged: Int) -> IncrementalSheet.Outcome {
        let sheet = source.sheet
        var summary = SheetSummary(
            name: sheet.name, id: sheetID, rows: sheet.rows.count, columns: sheet.columns.count,
            cells: sheet.rows.count * sheet.columns.count)
        var changes = MirrorComparison.Counts()
        changes.unchanged = unchanged
        summary.changes = changes
        return IncrementalSheet.Outcome(summary: summary)
    }

    private func warnings(_ comparison: MirrorComparison, _ former: MirrorMemory.Record?) -> [String] {
        func rows(_ count: Int) -> String { count == 1 ? "1 row" : "\(count.grouped) rows" }
        var warnings: [String] = []
        if former != nil, !context.isFromScratch {
            warnings.append(
                "the columns or the key are others than the last time, so that a new base begins; rows that only earlier runs "
                    + "wrote stay")
        }
        if comparison.corrected > 0 {
            warnings.append(
                "people had changed cells of \(rows(comparison.corrected)) that this job keeps; they have the job's values again"
            )
        }
        if comparison.repeated > 0 {
            warnings.append(
                "\(rows(comparison.repeated)) of the sheet have the key of an earlier one; only the first of each key is kept"
            )
        }
        return warnings.map { "sheet \"\(job.sheet.name)\": \($0)" }
    }

    private func mended(_ slips: Int) -> String {
        "sheet \"\(job.sheet.name)\": somebody moved rows or columns in the moment of the write\(slips == 1 ? "" : " (\(slips) times)"); "
            + "what it changed in the wrong places was put right at once"
    }
}

extension SheetMirror {
    /// Keeps what a mirror has written into a sheet of a new spreadsheet.
    static func keep(
        _ sheet: CheckedSheet, _ options: MirrorOptions, id: Int, in spreadsheet: ExportedSpreadsheet, timeZone: String,
        _ memory: MirrorMemory
    ) async throws -> MirrorComparison.Counts {
        let source = try MirrorSource(sheet, key: options.key)
        let head = MirrorHead(row: 0, names: sheet.columns.map(\.name), formats: [], hasBoxes: false)
        let record = MirrorMemory.Record(
            sheetID: id, definition: definition(sheet.columns, options.key), result: source.digest.description,
            timeZone: timeZone, url: spreadsheet.url, head: head, isFresh: true)
        try await memory.save(
            record, try source.base(keepingCells: options.onEdit == .keep), of: sheet.name, in: spreadsheet.id)
        var changes = MirrorComparison.Counts()
        changes.inserted = sheet.rows.count
        return changes
    }
}

/// What mirrors of a job need beside its sheets.
struct MirrorContext: Sendable {
    let memory: MirrorMemory
    let allowsDeletes: Bool
    let isFromScratch: Bool
}

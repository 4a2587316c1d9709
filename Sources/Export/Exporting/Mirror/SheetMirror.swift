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
    let source: MirrorSource
    /// Which mirror of the sheet it is.
    let memoryPlace: MirrorMemory.Place

    /// More rows than these are refused: a mirror compares each of them on every run.
    static let mostRows = 100_000
    /// The size of a sheet, in bytes, that is read by one answer.
    private static let largestAnswer = 24_000_000
    private static let rounds = 8

    init(_ job: IncrementalSheet, _ options: MirrorOptions, _ place: IncrementalSheet.Place) throws {
        (self.job, self.options, self.place, context) = (job, options, place, place.mirror)
        source = try context.sources[job.index] ?? Self.source(job.sheet, options, index: job.index)
        memoryPlace = MirrorMemory.Place(
            spreadsheetID: place.spreadsheetID, sheet: job.sheet.name,
            definition: Self.definition(job.sheet.columns, options.key, job.position))
    }

    /// Reads the rows that a sheet is kept at.
    static func source(_ sheet: CheckedSheet, _ options: MirrorOptions, index: Int) throws -> MirrorSource {
        guard sheet.rows.count <= mostRows else {
            throw JobFailure(
                .payloadInvalid,
                "sheets[\(index)]: a mirror holds at most \(mostRows.grouped) rows, got \(sheet.rows.count.grouped); let the "
                    + "query give less, or use the mode replace.", retry: .never)
        }
        do { return try MirrorSource(sheet, key: options.key) } catch let error as SheetModelError {
            throw JobFailure(.payloadInvalid, "sheets[\(index)]: \(error.message).", retry: .never)
        }
    }

    /// What tells a mirror of a sheet from others there: its columns, its key, and where its header is.
    static func definition(_ columns: [Column], _ key: [String], _ position: SheetPosition) -> String {
        var hash = FNV1a()
        let parts =
            columns.flatMap { [$0.name, $0.type.rawValue] } + ["key"] + key
            + ["at", "\(position.headerRow ?? 0)", position.table ?? ""]
        for part in parts { hash.add("\(part.utf8.count) \(part)".utf8Span.span) }
        return String(hash.value, radix: 16)
    }

    /// What a run came to: where the next one comes to the same, there is nothing to do.
    static func result(_ source: MirrorSource, _ options: MirrorOptions) -> String {
        "\(source.digest)/\(options.onEdit.rawValue)/\(options.onDelete.rawValue)/\(options.hasNote)"
    }

    /// Whether nothing need be asked or written: the rows are those of the last time, and the sheet was read in the last hour.
    static func isUpToDate(_ record: MirrorMemory.Record, _ result: String, for login: String) -> Bool {
        record.isFresh && record.result == result && record.login == login
    }

    /// Where the columns stand in the sheet.
    struct Found {
        let target: TargetSpreadsheet
        let existing: ExistingSheet
        let head: MirrorHead
        let places: ColumnPlaces
        let table: SheetTable?
        /// The job's columns whose names are still to be written into the header.
        var unnamed: [Int] = []
        /// What was read along with it, where that was the whole sheet.
        var answer: Answer?
    }

    /// All cells of a sheet, which are given away once they are compared, because they are many.
    final class Answer {
        var json: JSON?

        init(_ json: JSON) { self.json = json }
    }

    /// What became of one round.
    private struct Round {
        let outcome: IncrementalSheet.Outcome
        /// What to put right, where somebody moved something meanwhile.
        var slip: MirrorSlip?
    }

    /// Brings the sheet up to date.
    ///
    /// - Parameter target: What Sheets tells of the spreadsheet, where that was asked already.
    func write(_ target: TargetSpreadsheet?) async throws -> IncrementalSheet.Outcome {
        if context.isFromScratch, place.rehearsed == nil { try await context.memory.forget(memoryPlace) }
        let known =
            context.isFromScratch ? [] : try await context.memory.find(job.sheet.name, of: place.spreadsheetID)
        let record = known.first { $0.definition == memoryPlace.definition }
        if let record, Self.isUpToDate(record, Self.result(source, options), for: context.login),
            place.rehearsed == nil
        {
            return IncrementalSheet.Outcome(summary: record.summary(of: source.sheet))
        }
        var target = target
        var (slip, slips, owed) = (MirrorSlip?.none, 0, [Digest128: [JSON]]())
        var first: IncrementalSheet.Outcome?
        var refused: (error: GoogleError, target: TargetSpreadsheet)?
        var last: TargetSpreadsheet?
        var isRepairing = false
        for round in 0..<Self.rounds {
            do {
                let found = try await patiently(slip != nil || isRepairing || !owed.isEmpty) {
                    try await self.found(round == 0 ? record : nil, &target, refused)
                }
                guard let found else { return try await make(in: try await next(&target), after: record) }
                last = found.target
                guard let done = try await attempt(found, record, slip, &owed) else {
                    (slip, slips) = (nil, slips + (slip?.isCertain == true ? 0 : 1))
                    isRepairing = true
                    continue
                }
                if first == nil {
                    first = done.outcome
                    if let warning = newBase(record, known, found) { first?.warnings.append(warning) }
                }
                slip = done.slip
                isRepairing = false
                if slip?.isCertain == true { slips += 1 }
                guard slip == nil, owed.isEmpty, var outcome = first else { continue }
                if slips > 0 { outcome.warnings.append(mended(slips)) }
                return outcome
            } catch is SheetChanged {
                continue
            } catch let error as GoogleError where error.code == .badRequest && last != nil {
                guard let target = last, refused?.target != target else { throw error }
                refused = (error, target)
            }
        }
        if let refused { throw refused.error }
        throw JobFailure(
            .sheetChanged,
            "sheets[\(job.index)]: rows or columns of the sheet changed their places each time that it was read; what was written "
                + "stands, and the job is tried again.", retry: .backoff)
    }

    /// Finds the columns, where the last run found them or by the header; nil where the sheet is missing or empty.
    private func found(
        _ record: MirrorMemory.Record?, _ target: inout TargetSpreadsheet?,
        _ refused: (error: GoogleError, target: TargetSpreadsheet)?
    ) async throws -> Found? {
        if let record, record.isFresh, record.head.isFresh, record.head.size < Self.largestAnswer,
            let found = try await found(record)
        {
            return found
        }
        let now = try await next(&target)
        // What Google refuses although nobody has changed anything, it refuses for good.
        if let refused, refused.target == now { throw refused.error }
        let found = try await search(now)
        if found == nil { target = now }
        return found
    }

    /// Does something once more where it fails for the moment and something is to be put right: only this attempt knows what.
    private func patiently<Result>(_ isNeeded: Bool, _ body: () async throws -> Result) async throws -> Result {
        var pauses: [Duration] =
            isNeeded ? [.milliseconds(500), .seconds(2), .seconds(5), .seconds(15), .seconds(30)] : []
        while true {
            do { return try await body() } catch let error as GoogleError {
                guard error.retry != .never, !pauses.isEmpty, place.rehearsed == nil else { throw error }
                try await Task.sleep(for: pauses.removeFirst())
            }
        }
    }

    /// What Sheets tells of the spreadsheet: what was asked already, else what it says now.
    private func next(_ known: inout TargetSpreadsheet?) async throws -> TargetSpreadsheet {
        if let target = known {
            known = nil
            return target
        }
        let target = try await TargetSpreadsheet(place.spreadsheetID, of: place.installation, using: place.client)
        try await checkZone(of: target)
        return target
    }

    /// Compares and writes once; nil where it only put right what an earlier round did in wrong places.
    ///
    /// - Parameters:
    ///   - slip: What went wrong with the write before.
    ///   - owed: What people had beside rows that are to be added again.
    private func attempt(
        _ found: Found, _ record: MirrorMemory.Record?, _ slip: MirrorSlip?, _ owed: inout [Digest128: [JSON]]
    ) async throws -> Round? {
        let isKnown = record?.sheetID == found.existing.id
        let (base, pending) = isKnown ? try await context.memory.base(of: memoryPlace) : (.empty, .empty)
        var comparison = MirrorComparison(
            source, base: base, pending: pending, onEdit: options.onEdit, onDelete: options.onDelete)
        let (snapshot, size) = try await compare(found, &comparison)
        var repairs = slip?.repairs(in: snapshot, places: found.places, among: source) ?? MirrorRepairs()
        repairs.owed.merge(owed) { new, _ in new }
        repairs.settle(in: snapshot, places: found.places)
        owed = repairs.owed
        if !repairs.isEmpty {
            // What rows there are is known only when they are whole again.
            _ = try await send(MirrorComparison(changingNothingOf: source), repairs, found, snapshot)
            return nil
        }
        if slip == nil { try check(comparison, base) }
        try checkProtection(comparison, found, snapshot)
        var head = found.head
        (head.size, head.kept, head.edited) = (size, comparison.counts.kept, comparison.editedRows)
        var now = MirrorMemory.Record(
            sheetID: found.existing.id, of: found.target, memoryPlace, login: context.login, head: head)
        var outcome = IncrementalSheet.Outcome(summary: now.summary(of: source.sheet))
        outcome.summary.changes = comparison.counts
        outcome.warnings = warnings(comparison, found)
        if !comparison.isEmpty || !found.unnamed.isEmpty {
            if place.rehearsed == nil {
                let begun = pending.merging(try comparison.begun())
                if isKnown {
                    try await context.memory.begin(begun, in: memoryPlace)
                } else {
                    try await context.memory.save(now, base, pending: begun, in: memoryPlace)
                }
            }
            if let slip = try await send(comparison, MirrorRepairs(), found, snapshot) {
                return Round(outcome: outcome, slip: slip)
            }
        }
        if place.rehearsed == nil {
            now.result = Self.result(source, options)
            try await context.memory.save(now, try comparison.newBase(), in: memoryPlace)
        }
        return Round(outcome: outcome)
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
            let added = snapshot.end..<snapshot.end + comparison.insertions.count
            let isHit =
                comparison.deletions.contains(where: block.rows.contains)
                || !columns.isEmpty && !comparison.insertions.isEmpty && block.rows.overlaps(added)
                || comparison.updates.contains { update in
                    block.rows.contains(Int(update.row))
                        && update.columns.contains { columns.contains(found.places.indices[$0]) }
                }
            guard isHit else { continue }
            throw JobFailure(
                .protectedCells,
                "sheets[\(job.index)]: the range \(block.a1) of the sheet \"\(job.sheet.name)\"\(name.isEmpty ? "" : " (\(excerpt(name)))") "
                    + "is protected from this account, and cells in it are to be changed; nothing was written.",
                retry: .never)
        }
    }

    // MARK: New sheets

    /// Makes a sheet that is missing or empty.
    private func make(
        in target: TargetSpreadsheet, after record: MirrorMemory.Record?
    ) async throws -> IncrementalSheet.Outcome {
        let existing = try job.existing(in: target)
        let sheet = job.replacing(job.mode.noted(job.sheet, timeZone: target.timeZone))
        let plan = try sheet.made(from: existing, target)
        var now = MirrorMemory.Record(
            sheetID: plan.summary.id, of: target, memoryPlace, login: context.login, head: MirrorHead(of: job.sheet))
        if place.rehearsed == nil {
            try await context.memory.save(now, .empty, pending: source.begun(), in: memoryPlace)
        }
        var outcome = try await sheet.append(plan, to: place, after: nil, job.fence(on: plan.summary.id, place, target))
        if place.rehearsed == nil {
            now.result = Self.result(source, options)
            try await context.memory.save(
                now, try source.base(keepingCells: options.onEdit == .keep), in: memoryPlace)
        }
        outcome.summary.changes = MirrorComparison.Counts(inserted: source.sheet.rows.count)
        if existing == nil, let record {
            let former = target.sheets.first { $0.id == record.sheetID }.map { "is called \"\($0.title)\" now" }
            outcome.warnings.append(
                "sheet \"\(job.sheet.name)\": the one that was kept \(former ?? "is gone"), so that a new one was made")
        }
        return outcome
    }

    /// Keeps what a mirror has written into a sheet of a new spreadsheet.
    static func keep(
        _ sheet: CheckedSheet, _ options: MirrorOptions, at position: SheetPosition, index: Int, id: Int,
        in spreadsheet: ExportedSpreadsheet, timeZone: String, _ context: MirrorContext
    ) async throws -> MirrorComparison.Counts {
        let source = try source(sheet, options, index: index)
        let place = MirrorMemory.Place(
            spreadsheetID: spreadsheet.id, sheet: sheet.name,
            definition: definition(sheet.columns, options.key, position))
        let record = MirrorMemory.Record(
            sheetID: id, definition: place.definition, result: result(source, options), login: context.login,
            timeZone: timeZone, url: spreadsheet.url, head: MirrorHead(of: sheet), isFresh: true)
        try await context.memory.save(record, try source.base(keepingCells: options.onEdit == .keep), in: place)
        return MirrorComparison.Counts(inserted: sheet.rows.count)
    }
}

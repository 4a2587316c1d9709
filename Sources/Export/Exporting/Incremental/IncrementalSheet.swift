import Google
import JSON
import JobQueue
import SheetModel

/// A sheet of a job that keeps the rows it has: rows are added to them, or change those of the same key.
struct IncrementalSheet {
    /// The index of the sheet in the payload.
    let index: Int
    let sheet: CheckedSheet
    let mode: SheetMode
    let position: SheetPosition
    /// Whether its rows may be others each time that they are asked for.
    let isQueried: Bool
    /// The formatting template of a sheet that has no formats yet; nil for none.
    let template: FormattingTemplate?
    let batchBytes: Int

    /// The same with another sheet that holds the same.
    func replacing(_ sheet: CheckedSheet) -> IncrementalSheet {
        IncrementalSheet(
            index: index, sheet: sheet, mode: mode, position: position, isQueried: isQueried, template: template,
            batchBytes: batchBytes)
    }

    /// What became of it.
    struct Outcome {
        var summary: SheetSummary
        var warnings: [String] = []
    }

    /// Where it stands, and for which job.
    struct Place {
        let spreadsheetID: String
        let client: SheetsClient
        let calls: CallCounter
        let installation: String
        let job: JobTag
        /// How far an earlier attempt came with appending.
        let progress: AppendProgress?
        /// In a rehearsal, is told of a call that cannot be made there.
        let rehearsed: ((String) -> Void)?
        /// What a mirror needs.
        let mirror: MirrorContext
        let report: (_ rows: Int) async -> Void
        /// Saves how far the sheet is, with how many rows are done for people.
        let save: (ExportCheckpoint.SheetProgress, _ rows: Int) async throws -> Void
    }

    /// How often a sheet is read anew that changes under the reader's hands.
    private static let rounds = 4

    /// Writes what is not there yet.
    ///
    /// - Parameter known: What Sheets tells of the spreadsheet; nil where nobody has asked.
    func write(to place: Place, _ known: TargetSpreadsheet?) async throws -> Outcome {
        if case .mirror(let options) = mode {
            return try await SheetMirror(self, options, place).write(known)
        }
        var target: TargetSpreadsheet
        if let known {
            target = known
        } else {
            target = try await TargetSpreadsheet(place.spreadsheetID, of: place.installation, using: place.client)
        }
        var rounds = Self.rounds
        while true {
            do { return try await attempt(place, target) } catch {
                let hasMoved = error is SheetChanged
                guard hasMoved || (error as? GoogleError)?.code == .badRequest else { throw error }
                rounds -= 1
                guard rounds > 0 else { throw hasMoved ? changed : error }
                let now = try await TargetSpreadsheet(
                    place.spreadsheetID, of: place.installation, using: place.client)
                // What Google refuses although nobody has changed anything, it refuses for good.
                guard hasMoved || now != target else { throw error }
                target = now
            }
        }
    }

    private var changed: JobFailure {
        JobFailure(
            .sheetChanged,
            "sheets[\(index)]: rows or columns of the sheet changed their places each time that it was read; what was written "
                + "stands, and the job is tried again.", retry: .backoff)
    }

    /// Looks at all sheets of a job that keep their rows, before any of them is written: one call, where their headers are there.
    static func check(
        _ sheets: [IncrementalSheet], in target: TargetSpreadsheet, _ spreadsheetID: String, _ client: SheetsClient,
        _ calls: CallCounter
    ) async throws {
        var there: [(sheet: IncrementalSheet, existing: ExistingSheet, row: Int)] = []
        for sheet in sheets {
            guard let existing = try sheet.existing(in: target) else { continue }
            there.append((sheet, existing, try sheet.headerRow(in: existing)))
        }
        let headed = there.filter { $0.sheet.sheet.hasHeader }
        let heads = try await SheetReader.heads(spreadsheetID, headed.map { ($0.existing, $0.row) }, client)
        for (one, head) in zip(headed, heads) {
            let reader = SheetReader(
                spreadsheetID: spreadsheetID, sheet: one.existing, client: client, calls: calls)
            _ = try await one.sheet.header(head, at: one.row, in: one.existing, reader)
        }
    }

    /// The sheet of the name; nil for one that is to be made.
    func existing(in target: TargetSpreadsheet) throws -> ExistingSheet? {
        guard let existing = target.sheet(named: sheet.name) else {
            guard !position.namesPlace else {
                throw JobFailure(
                    .sheetNotFound,
                    "sheets[\(index)]: the spreadsheet has no sheet of this name, in which the header could stand where the "
                        + "job says.", retry: .never)
            }
            return nil
        }
        guard existing.rows > 0, existing.columns > 0 else {
            throw JobFailure(
                .sheetNotFound,
                "sheets[\(index)]: the sheet of this name has no cells; name another one.", retry: .never)
        }
        return existing
    }

    /// The row of the header, where there is one.
    func headerRow(in existing: ExistingSheet) throws -> Int {
        let table = try existing.table(of: sheet, at: position, forSheet: index)
        let row = table?.block.rows.lowerBound ?? position.headerRow ?? 0
        guard row < existing.rows else { throw headerMismatch("the sheet has no row \(row + 1)") }
        return row
    }

    /// What the header of a sheet tells.
    struct Header {
        let head: SheetReader.Head
        /// Where the job's columns stand.
        let places: ColumnPlaces
        let table: SheetTable?
        /// The job's columns whose names are still to be written.
        var unnamed: [Int] = []
    }

    /// Finds the columns in the header; nil for a sheet without any data.
    ///
    /// - Parameter width: From which column on those that are missing are added; nil to refuse them.
    func header(
        _ head: SheetReader.Head, at row: Int, in existing: ExistingSheet, _ reader: SheetReader,
        addingFrom width: Int? = nil
    ) async throws -> Header? {
        var (head, reader) = (head, reader)
        let table = try existing.table(of: sheet, at: position, forSheet: index)
        let name =
            table.map { "the table \"\($0.name)\"" } ?? (row == 0 ? "the sheet's first row" : "row \(row + 1)")
        if let table { head.keep(table.block.columns) }
        if head.names.allSatisfy(\.isEmpty) {
            let isBlank = if position.namesPlace { false } else { try await reader.isEmpty() }
            guard isBlank else {
                throw headerMismatch("\(name) is empty, but rows lie below it; write the columns' names there")
            }
            return nil
        }
        do throws(SheetModelError) {
            if let width, table == nil {
                let (places, unnamed) = try ColumnPlaces.adding(
                    sheet.columns, to: head.names, plain: head.plain, from: width, place: name)
                return Header(head: head, places: places, table: nil, unnamed: unnamed)
            }
            let places = try ColumnPlaces(of: sheet.columns, in: head.names, plain: head.plain, place: name)
            return Header(
                head: head, places: places, table: table ?? existing.table(headedBy: row, columns: places.indices))
        } catch {
            throw headerMismatch(error.message)
        }
    }

    private func attempt(_ place: Place, _ target: TargetSpreadsheet) async throws -> Outcome {
        guard let existing = try existing(in: target) else {
            let plan = try made(from: nil, target)
            // Whatever was in a sheet that is gone is gone too.
            return try await append(plan, to: place, after: nil, fence(on: plan.summary.id, place, target))
        }
        let fence = fence(on: existing.id, place, target)
        let reader = SheetReader(
            spreadsheetID: place.spreadsheetID, sheet: existing, client: place.client, calls: place.calls)
        let row = try headerRow(in: existing)
        var header: Header?
        if sheet.hasHeader {
            header = try await self.header(try await reader.head(at: row), at: row, in: existing, reader)
            if header == nil {
                return try await append(try made(from: existing, target), to: place, after: place.progress, fence)
            }
        }
        let places = header?.places ?? ColumnPlaces(inOrder: sheet.columns.count)
        let table = if let header { header.table } else { try existing.table(of: sheet, at: position, forSheet: index) }
        func plan(_ rows: [Int32]?) async throws -> AppendPlan {
            var (below, reader) = (table.map(AppendPlan.Below.table) ?? .sheet, reader)
            // Where rows do not go below all others, somebody has to look where that is.
            if table == nil, position.headerRow != nil || header?.head.hasBoxes == true, rows?.isEmpty != true {
                let columns = position.headerRow == nil ? Array(0..<existing.columns) : places.indices
                below = .row(try await reader.end(of: columns, from: row + 1))
            }
            return try checked { () throws(SheetModelError) in
                try AppendPlan(
                    sheet, rows: rows, below: existing, of: target.sheets, at: below, headerRow: row, places: places,
                    formats: header?.head.formats, batchBytes: batchBytes)
            }
        }
        /// Makes sure that nobody has moved the columns since they were found.
        func look() async throws {
            guard let header else { return }
            let now = try await reader.head(at: row)
            guard places.indices.allSatisfy({ now.shows(header.head, at: $0) }) else { throw SheetChanged() }
        }
        guard case .upsert(let key) = mode else {
            return try await append(try await plan(nil), to: place, after: place.progress, fence, look)
        }
        let upserter = SheetUpserter(
            reader: reader, sheet: sheet, places: places, index: try KeyIndex(sheet, index: index, key: key),
            header: (row, places.indices.map { header?.head.value(at: $0) }),
            rows: row + 1..<max(row + 1, table?.bodyEnd ?? existing.rows), batchBytes: batchBytes, look: look)
        let outcome = try await upserter.update(fence, to: place)
        var result = try await append(
            try await plan(outcome.missing), to: place, after: nil, outcome.fence, looksFirst: outcome.tookTime, look)
        if outcome.repeated > 0 { result.warnings = [repeated(outcome.repeated)] }
        return result
    }

    func fence(on sheetID: Int, _ place: Place, _ target: TargetSpreadsheet) -> AppendFence {
        AppendFence(on: sheetID, of: target, installation: place.installation, job: place.job)
    }

    /// Appends the rows of a plan that the job has not appended yet.
    ///
    /// - Parameters:
    ///   - looksFirst: Whether the first write is made sure of too.
    ///   - look: Makes sure before a write that the columns are where they were; nil for a sheet that the first write makes.
    func append(
        _ plan: AppendPlan, to place: Place, after progress: AppendProgress?, _ fence: AppendFence,
        looksFirst: Bool = false, _ look: (() async throws -> Void)? = nil
    ) async throws -> Outcome {
        var (begin, known, fence) = (0, String?.none, fence)
        // An upsert has looked for itself which rows are missing.
        if mode == .append {
            (begin, known) = try self.begin(fence, progress?.sheetID == plan.summary.id ? progress : nil)
            fence.goOn(behind: begin)
        }
        let digest = try plan.digest(of: begin)
        if begin > 0, isQueried, digest.description != known { throw rowsChanged(begin) }
        let before = plan.summary.rows - plan.count
        let appender = SheetAppender(spreadsheetID: place.spreadsheetID, client: place.client) { [mode] progress in
            try await place.save(mode == .append ? .append(progress) : .upsert, before + progress.rows)
        }
        try await appender.append(plan, from: begin, behind: digest, fence, looksFirst: looksFirst) {
            if let look { return try await look() }
            try await lookAtMade(plan.summary.id, place)
        }
        return Outcome(summary: plan.summary)
    }

    /// Makes sure that the columns of a sheet that the job has made are where it put them.
    private func lookAtMade(_ id: Int, _ place: Place) async throws {
        guard sheet.hasHeader, !sheet.columns.isEmpty else { return }
        // In a rehearsal it is not made.
        if let rehearsed = place.rehearsed { return rehearsed("sheets.spreadsheets.getByDataFilter") }
        let made = ExistingSheet(id: id, title: sheet.name, rows: 2, columns: sheet.columns.count)
        let names = try await SheetReader(
            spreadsheetID: place.spreadsheetID, sheet: made, client: place.client, calls: place.calls
        ).head(at: 0).names
        for (index, column) in sheet.columns.enumerated() {
            guard column.name == (index < names.count ? names[index] : "") else { throw SheetChanged() }
        }
    }

    /// How many rows of the job are in the sheet already, and their digest.
    ///
    /// The sheet's note says it exactly. Where there is none any more, it has made room for those of other jobs, and what the
    /// queue knows holds, unless a write was under way then.
    private func begin(_ fence: AppendFence, _ progress: AppendProgress?) throws -> (rows: Int, digest: String?) {
        guard let progress, (fence.last?.count ?? 0) < progress.rows || fence.last == nil else {
            return (fence.count, fence.last?.digest)
        }
        guard fence.last == nil, fence.isCrowded, fence.others != progress.others else {
            // No other job can have taken the note away: the first write was not made, or a person has been there.
            guard progress.rows > 0 else { return (0, nil) }
            throw unclear(
                "\(progress.rows) rows of this job were appended, and the sheet does not have the note of that any more, "
                    + "as if an earlier version of it had been restored")
        }
        guard progress.sent == progress.rows else {
            throw unclear(
                "whether the rows from \(progress.rows + 1) to \(progress.sent) of this job were appended is not to be found "
                    + "out any more, after so many other jobs")
        }
        return (progress.rows, progress.digest)
    }

    func made(from existing: ExistingSheet?, _ target: TargetSpreadsheet) throws -> AppendPlan {
        try checked { () throws(SheetModelError) in
            try AppendPlan(
                making: sheet, from: existing, of: target.sheets, template: template, batchBytes: batchBytes)
        }
    }

    private func repeated(_ count: Int) -> String {
        "sheet \"\(sheet.name)\": \(count) \(count == 1 ? "row has" : "rows have") the key of an earlier row of the "
            + "sheet; only the first row of each key was brought up to date"
    }

    private func rowsChanged(_ count: Int) -> JobFailure {
        JobFailure(
            .rowsChanged,
            "sheets[\(index)]: an earlier attempt appended \(count) rows, and the query gives others now; take them "
                + "out of the sheet, let the query order its rows, and enqueue the job anew.", retry: .never)
    }

    private func unclear(_ what: String) -> JobFailure {
        JobFailure(
            .rowsChanged,
            "sheets[\(index)]: \(what); see which of its rows are there, and enqueue the others as a new job.",
            retry: .never)
    }

    private func headerMismatch(_ message: String) -> JobFailure {
        JobFailure(
            .headerMismatch,
            "sheets[\(index)]: \(message).", retry: .never)
    }

    func checked<Result>(_ plan: () throws(SheetModelError) -> Result) throws -> Result {
        do throws(SheetModelError) { return try plan() } catch {
            throw JobFailure(
                .payloadInvalid, "sheets[\(index)]: \(error.message)", retry: .never)
        }
    }
}

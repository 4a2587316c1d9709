import Google
import JSON
import JobQueue
import SheetModel

/// Finds where rows belong in sheets that are there, and what people have put in their way: one call for all sheets.
struct PlaceFinder {
    /// What was found.
    struct Places {
        /// All sheets of the spreadsheet; those that the job shares with people have their place.
        var sheets: [ExistingSheet]
        /// What a reader should know.
        var warnings: [String] = []
        /// What he should know beside that where they are replaced by one write, and where they are by a staged replacement:
        /// what a column of links takes along.
        var warningsIfSmall: [String] = []
        var warningsIfStaged: [String] = []
    }

    let spreadsheetID: String
    let target: TargetSpreadsheet
    let run: ExportRun

    /// Whether the job made the spreadsheet as a copy of another.
    private var isCopy: Bool { if case .new = run.payload.destination { true } else { false } }

    /// A sheet of the job that is there.
    private struct Shared {
        let sheet: CheckedSheet
        /// Its index in the payload, and among the spreadsheet's sheets.
        let index: Int
        let place: Int
        let position: SheetPosition
        let table: SheetTable?
        /// The row of the header, and the first row of data.
        let row: Int
        /// The rows that are read.
        var rows: Range<Int>
        /// Whether those are all that the job will have.
        var isWhole: Bool

        var firstRow: Int { row + (sheet.hasHeader ? 1 : 0) }
    }

    /// As many cells of a job's sheets are looked at for notes and rules of people; of more only the header is read.
    private static let mostCells = 100_000
    /// In how many rows below its place a header is looked for that people have moved.
    private static let rowsBelow = 10
    private static let fields =
        "sheets(properties.sheetId,data(startRow,startColumn,rowData.values(formattedValue,effectiveValue,note,"
        + "dataValidation.condition.type,userEnteredFormat.numberFormat),rowMetadata.hiddenByUser,"
        + "columnMetadata.developerMetadata(metadataId,metadataKey,metadataValue)))"

    /// Looks at the sheets; no call where none of them is there.
    ///
    /// Of a job of several sheets those that keep their rows are looked at too, so that nothing is written where one is refused.
    func find() async throws -> Places {
        var places = Places(sheets: target.sheets)
        let shared = try shared(&places.sheets)
        if !shared.isEmpty {
            let found = try await read(shared)
            for shared in found.sheets {
                try place(shared, found.data[target.sheets[shared.place].id] ?? [], in: &places)
            }
        }
        if run.spreadsheet.sheets.count > 1 {
            try await IncrementalSheet.check(run.incremental, in: target, spreadsheetID, run.sheets, run.calls)
        }
        return places
    }

    /// The sheets that the job shares with people; the others that are there are made like new.
    private func shared(_ sheets: inout [ExistingSheet]) throws -> [Shared] {
        var shared: [Shared] = []
        var left = Self.mostCells
        for (sheet, index, position) in run.replacedPositions {
            let place = target.sheets.firstIndex { $0.title.lowercased() == sheet.name.lowercased() }
            guard let place else {
                if position.namesPlace {
                    throw JobFailure(
                        .sheetNotFound,
                        "sheets[\(index)]: the spreadsheet has no sheet of this name, in which the header could stand where "
                            + "the job says.", retry: .never)
                }
                continue
            }
            sheets[place].isReset = position.isReset
            if position.isReset { continue }
            let existing = target.sheets[place]
            guard existing.rows > 0, existing.columns > 0 else {
                throw JobFailure(
                    .sheetNotFound, "sheets[\(index)]: the sheet of this name has no cells; name another one.",
                    retry: .never)
            }
            if let row = position.headerRow, row >= existing.rows {
                throw JobFailure(
                    .headerMismatch, "sheets[\(index)]: the sheet has no row \(row + 1).", retry: .never)
            }
            let table = try existing.table(of: sheet, at: position, forSheet: index)
            let row = table?.block.rows.lowerBound ?? position.headerRow ?? 0
            var one = Shared(
                sheet: sheet, index: index, place: place, position: position, table: table, row: row,
                rows: row..<max(row, min(row + 2, existing.rows)), isWhole: false)
            // The whole grid tells which columns are in use, the job's rows at least what hangs on them.
            for end in [existing.rows, one.firstRow + sheet.rows.count] {
                let rows = row..<max(row, min(end, existing.rows))
                guard rows.count * existing.columns <= left else { continue }
                left -= rows.count * existing.columns
                (one.rows, one.isWhole) = (row..<max(rows.upperBound, one.rows.upperBound), true)
                break
            }
            shared.append(one)
        }
        return shared
    }

    private func read(_ shared: [Shared]) async throws -> (sheets: [Shared], data: [Int: [JSON]]) {
        var sheets = shared
        while true {
            let rectangles = sheets.filter { !$0.rows.isEmpty }.map {
                GridRectangle(
                    sheetID: target.sheets[$0.place].id, rows: $0.rows,
                    columns: 0..<target.sheets[$0.place].columns)
            }
            guard !rectangles.isEmpty else { return (sheets, [:]) }
            do throws(GoogleError) {
                let answer = try await run.sheets.spreadsheet(spreadsheetID, in: rectangles, fields: Self.fields)
                var data: [Int: [JSON]] = [:]
                for sheet in answer["sheets"]?.array ?? [] {
                    data[try GoogleNumber.id(sheet["properties"]?["sheetId"], "sheetId")] = sheet["data"]?.array
                }
                return (sheets, data)
            } catch {
                guard error.code == .answerTooLarge, sheets.contains(where: \.isWhole) else { throw error }
                for index in sheets.indices {
                    let row = sheets[index].row
                    sheets[index].rows = row..<min(row + 2, sheets[index].rows.upperBound)
                    sheets[index].isWhole = false
                }
            }
        }
    }

    private func place(_ shared: Shared, _ data: [JSON], in places: inout Places) throws {
        let existing = target.sheets[shared.place]
        let cells = try CellLook(data, width: existing.columns)
        let installation = run.workspace.configuration.installation
        var place: SheetPlace
        do throws(SheetModelError) {
            place = try SheetPlace(
                of: shared.sheet.columns, hasHeader: shared.sheet.hasHeader, row: shared.row,
                header: cells.texts(inRow: shared.row), plain: cells.plainTexts(inRow: shared.row),
                below: (1...Self.rowsBelow).map { cells.texts(inRow: shared.row + $0) },
                used: cells.usedColumns(from: shared.firstRow),
                unknown: 0..<(shared.rows.upperBound < existing.rows ? existing.columns : 0),
                earlier: ColumnNote.read(on: existing.id, of: target, installation: installation),
                anchors: cells.columnNotes.compactMap { column, note in
                    ColumnNote.anchor(note, on: column, installation: installation)
                }, table: shared.table, otherTables: existing.tables.filter { $0.id != shared.table?.id }, isOwn: isCopy
            )
        } catch {
            throw JobFailure(.headerMismatch, "sheets[\(shared.index)]: \(error.message).", retry: .never)
        }
        place.table = shared.table ?? existing.table(around: place)
        place.formats = place.columns.map { cells.numberFormat(row: shared.firstRow, column: $0) }
        defer { places.sheets[shared.place].place = place }
        places.warnings += place.remarks.map { "sheet \"\(existing.title)\": \($0)" }
        guard shared.isWhole else { return }
        let rows = shared.firstRow..<shared.firstRow + shared.sheet.rows.count
        let hidden = cells.hiddenRows.filter(rows.contains)
        place.mayHideRows = !hidden.isEmpty
        func warning(_ what: String, _ places: [String]) -> [String] {
            guard !places.isEmpty else { return [] }
            let more = places.count > 10 ? " and \(places.count - 10) more" : ""
            return ["sheet \"\(existing.title)\": \(what): \(places.prefix(10).joined(separator: ", "))\(more)"]
        }
        places.warnings += warning(
            "rows that were hidden by hand hold new data and are shown again", Self.spans(hidden.map { $0 + 1 }))
        let columns = Set(place.columns)
        // A large export brings cells of links over whole, without notes and rules.
        let links = Set(zip(place.columns, shared.sheet.columns).filter { $1.type == .link }.map(\.0))
        func warn(_ kept: String, _ lost: String, _ marks: [CellLook.Mark], by text: ([CellLook.Mark]) -> [String]) {
            let others = warning(kept, text(marks.filter { !links.contains($0.column) }))
            places.warningsIfSmall += warning(kept, text(marks))
            places.warningsIfStaged += others + warning(lost, text(marks.filter { links.contains($0.column) }))
        }
        warn(
            "notes that people put on cells of the job's rows stay, beside new data",
            "notes that people put on cells of a column of links are gone, since a large export brings those over whole",
            cells.notes.filter { rows.contains($0.row) && columns.contains($0.column) }
        ) { $0.map { A1.letters(ofColumn: $0.column) + "\($0.row + 1)" } }
        let boxes = Set(
            zip(place.columns, shared.sheet.columns).filter { $1.type == .boolean || $1.type == .auto }.map(\.0))
        let rules = cells.rules.filter { rule in
            rows.contains(rule.row) && columns.contains(rule.column)
                && !(rule.type == "BOOLEAN" && boxes.contains(rule.column))
        }
        warn(
            "rules that people set for what may be entered (data validation) stay, whatever the new data is",
            "rules that people set for what may be entered (data validation) in a column of links are gone, since a large "
                + "export brings those over whole", rules
        ) { rules in
            Dictionary(grouping: rules, by: \.column).sorted { $0.key < $1.key }.flatMap { column, rules in
                let letters = A1.letters(ofColumn: column)
                return Self.spans(rules.map { $0.row + 1 }).map { span in
                    span.split(separator: "-").map { letters + $0 }.joined(separator: ":")
                }
            }
        }
    }

    /// Ascending numbers as people write them: 3, 5-8.
    private static func spans(_ numbers: [Int]) -> [String] {
        numbers.runs.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound - 1)" }
    }
}

/// What Sheets told of the cells of one sheet.
struct CellLook {
    /// What hangs on a cell.
    struct Mark {
        let row: Int
        let column: Int
        var type = ""
    }

    /// The cells that have a note, and those that have a rule for what may be entered.
    private(set) var notes: [Mark] = []
    private(set) var rules: [Mark] = []
    /// The rows that somebody hid.
    private(set) var hiddenRows: [Int] = []
    /// Google's `DeveloperMetadata` on single columns.
    private(set) var columnNotes: [(column: Int, note: JSON)] = []
    private let parts: [(top: Int, left: Int, rows: [JSON])]

    /// Reads `GridData`; what lies outside of the grid is left out.
    init(_ data: [JSON], width: Int) throws(GoogleError) {
        var parts: [(top: Int, left: Int, rows: [JSON])] = []
        for part in data {
            let top = try GoogleNumber.index(part["startRow"], "startRow")
            let left = try GoogleNumber.index(part["startColumn"], "startColumn")
            parts.append((top, left, part["rowData"]?.array ?? []))
            for (offset, row) in (part["rowMetadata"]?.array ?? []).enumerated() where row["hiddenByUser"]?.bool == true
            {
                hiddenRows.append(top + offset)
            }
            for (offset, column) in (part["columnMetadata"]?.array ?? []).enumerated() where left + offset < width {
                columnNotes += (column["developerMetadata"]?.array ?? []).map { (left + offset, $0) }
            }
            for (offset, row) in (part["rowData"]?.array ?? []).enumerated() {
                for (index, cell) in (row["values"]?.array ?? []).enumerated() where left + index < width {
                    let mark = Mark(row: top + offset, column: left + index)
                    if cell["note"]?.string?.isEmpty == false { notes.append(mark) }
                    if let type = cell["dataValidation"]?["condition"]?["type"]?.string {
                        rules.append(Mark(row: mark.row, column: mark.column, type: type))
                    }
                }
            }
        }
        self.parts = parts
    }

    /// What the cells of a row show; empty texts for empty cells.
    func texts(inRow row: Int) -> [String] { texts(inRow: row) { $0["formattedValue"]?.string ?? "" } }

    /// The same without number formats.
    func plainTexts(inRow row: Int) -> [String] { texts(inRow: row, \.plainText) }

    private func texts(inRow row: Int, _ text: (JSON) -> String) -> [String] {
        var texts: [String] = []
        for part in parts where part.rows.indices.contains(row - part.top) {
            for (index, cell) in (part.rows[row - part.top]["values"]?.array ?? []).enumerated() {
                while texts.count <= part.left + index { texts.append("") }
                texts[part.left + index] = text(cell)
            }
        }
        return texts
    }

    /// The columns that show anything from a row on.
    func usedColumns(from row: Int) -> Set<Int> {
        var used: Set<Int> = []
        for part in parts {
            for line in part.rows.dropFirst(max(0, row - part.top)) {
                for (index, cell) in (line["values"]?.array ?? []).enumerated()
                where cell["formattedValue"]?.string?.isEmpty == false { used.insert(part.left + index) }
            }
        }
        return used
    }

    /// Google's `NumberFormat` of a cell.
    func numberFormat(row: Int, column: Int) -> JSON? {
        for part in parts where part.rows.indices.contains(row - part.top) && column >= part.left {
            let cells = part.rows[row - part.top]["values"]?.array ?? []
            guard column - part.left < cells.count else { continue }
            if let format = cells[column - part.left]["userEnteredFormat"]?["numberFormat"] { return format }
        }
        return nil
    }
}

extension JSON {
    /// What a cell, Google's `CellData`, comes to, without its number format.
    var plainText: String {
        switch self["effectiveValue"]?.object?.first?.value {
        case .string(let text): text
        case .number(let number): JSON.number(number).description
        case .bool(let truth): truth ? "TRUE" : "FALSE"
        case nil, .null, .array, .text, .object: ""
        }
    }
}

extension ExistingSheet {
    /// The table that the columns of a job belong in: the one that the job names, else the one that has them all.
    func table(
        of sheet: CheckedSheet, at position: SheetPosition, forSheet index: Int
    ) throws(JobFailure) -> SheetTable? {
        guard let name = position.table else {
            guard position.headerRow == nil, sheet.hasHeader else { return nil }
            let fitting = tables.filter { table in
                let names = Set(table.columnNames)
                return sheet.columns.allSatisfy { !$0.name.isEmpty && names.contains($0.name) }
            }
            return fitting.count == 1 ? fitting[0] : nil
        }
        if let table = tables.first(where: { $0.name.lowercased() == name.lowercased() || $0.id == name }) {
            return table
        }
        let names = tables.prefix(20).map { "\"\($0.name)\"" }.joined(separator: ", ")
        throw JobFailure(
            .headerMismatch,
            "sheets[\(index)]: the sheet has no table of the name that the job gives"
                + (names.isEmpty ? "; it has no table at all." : ", but \(names)."), retry: .never)
    }

    /// The table in whose header all columns of a job stand.
    func table(around place: SheetPlace) -> SheetTable? {
        guard place.unnamed.isEmpty, !place.columns.isEmpty else { return nil }
        return table(headedBy: place.row, columns: place.columns)
    }

    /// The table whose header is in a row and has some columns.
    func table(headedBy row: Int, columns: [Int]) -> SheetTable? {
        tables.first { $0.block.rows.lowerBound == row && columns.allSatisfy($0.block.columns.contains) }
    }
}

public import JSON

/// The writes that put rows below the last row of a sheet, wherever that is when they arrive.
///
/// Google finds the last row, and makes the grid longer where it must; so nothing that a person types meanwhile is written
/// over. Such a write is not to be repeated: each batch needs something beside it that makes the second one fail.
public struct AppendPlan: Sendable {
    /// Where rows go.
    public enum Below: Sendable, Hashable {
        /// Below the last row of the sheet, which Google finds.
        case sheet
        /// Into the first free rows of a table, which Google finds and makes longer.
        case table(SheetTable)
        /// To a row that is known to be the first free one of the job's columns.
        case row(Int)
    }

    /// What the job has for the sheet.
    public let summary: SheetSummary
    /// How many rows there are to append.
    public var count: Int { rows.count }

    /// The requests that come before all rows.
    let start: [JSON]
    let encoder: PlacedRowEncoder
    let rows: any RowSource
    let below: Below
    let columns: [Column]
    let places: ColumnPlaces
    /// Google's `NumberFormat` of each of the job's columns.
    let formats: [JSON?]
    /// The rows of the sheet's grid.
    let gridRows: Int
    let batchBytes: Int

    /// Plans rows for a sheet that has some.
    ///
    /// - Parameters:
    ///   - chosen: The indices of the rows that are meant; nil for all.
    ///   - below: Where they go.
    ///   - headerRow: The index of the row with the header, if there is one.
    ///   - formats: Google's `NumberFormat` of the sheet's columns; nil to leave formats as they are.
    ///   - target: All sheets of the spreadsheet.
    public init(
        _ sheet: CheckedSheet, rows chosen: [Int32]? = nil, below existing: ExistingSheet, of target: [ExistingSheet],
        at below: Below = .sheet, headerRow: Int = 0, places: ColumnPlaces, formats: [JSON?]?, batchBytes: Int
    ) throws(SheetModelError) {
        rows = chosen.map { RowSelection(of: sheet.rows, $0) } ?? sheet.rows
        var grid = existing
        grid.columns = max(existing.columns, places.width)
        grid.rows = max(existing.rows, rows.count)
        try Self.checkSize(grid, target)
        summary = SheetSummary(sheet, id: existing.id, header: false)
        let missing = grid.columns - existing.columns
        let growth: [JSON] =
            missing > 0
            ? [["appendDimension": ["sheetId": JSON(existing.id), "dimension": "COLUMNS", "length": JSON(missing)]]]
            : []
        let settings = SheetRequests(id: existing.id).settings(
            of: sheet.columns, at: places.indices, headerRow: sheet.hasHeader ? headerRow : nil)
        // Without rows there is nothing to write.
        start = rows.count > 0 ? growth + settings : []
        let first = if case .table(let table) = below { table.block.columns.lowerBound } else { 0 }
        encoder = PlacedRowEncoder(
            columns: sheet.columns, places: places.counted(from: first),
            formats: formats.map { Array($0.dropFirst(first)) })
        self.below = below
        self.places = places
        columns = sheet.columns
        self.formats = zip(sheet.columns, places.indices).map { column, place in
            guard let formats else { return Optional.none }
            return column.format(in: place < formats.count ? formats[place] : Optional.none)
        }
        gridRows = existing.rows
        self.batchBytes = batchBytes
    }

    /// Plans a sheet that is missing or empty: the first batch makes it, with its header and its look.
    ///
    /// - Parameters:
    ///   - existing: The empty sheet; nil for a missing one.
    ///   - template: The look; nil leaves that of an empty sheet as it is.
    public init(
        making sheet: CheckedSheet, from existing: ExistingSheet?, of target: [ExistingSheet],
        template: FormattingTemplate?, batchBytes: Int
    ) throws(SheetModelError) {
        let id = existing?.id ?? PlanTarget.existing(target).ids(for: [sheet])[0]
        guard target.count + (existing == nil ? 1 : 0) <= Limits.sheets else {
            throw SheetModelError(.sheetCount, "a spreadsheet holds at most \(Limits.sheets) sheets")
        }
        // Nothing is cleared, in case that somebody has just begun to type.
        let layout = SheetLayout(sheet: sheet, id: id, existing: existing, origin: .nobody, template: template)
        try Self.checkSize(
            ExistingSheet(id: id, title: sheet.name, rows: layout.grid.rows, columns: layout.grid.columns), target)
        summary = SheetSummary(sheet, id: id, header: sheet.hasHeader)
        rows = sheet.rows
        (below, columns, places) = (.sheet, sheet.columns, ColumnPlaces(inOrder: sheet.columns.count))
        (formats, gridRows) = ([], layout.grid.rows)
        let keepsLook = existing != nil && template == nil
        encoder = PlacedRowEncoder(
            columns: sheet.columns, places: ColumnPlaces(inOrder: sheet.columns.count), formats: keepsLook ? [] : nil)
        var start = keepsLook ? layout.growth + layout.columnSettings : layout.requests
        if sheet.hasHeader {
            let names = sheet.columns.map { column -> JSON in
                column.name.isEmpty ? [:] : ["userEnteredValue": ["stringValue": .string(column.name)]]
            }
            start.append([
                "updateCells": [
                    "start": ["sheetId": JSON(id), "rowIndex": 0, "columnIndex": 0], "fields": "userEnteredValue",
                    "rows": [["values": .array(names)]],
                ]
            ])
        }
        self.start = start
        self.batchBytes = batchBytes
    }

    /// The batches, made one at a time.
    ///
    /// - Parameters:
    ///   - row: The first row that is not there yet.
    ///   - digest: That of the rows before it.
    public func batches(from row: Int = 0, behind digest: RowDigest = RowDigest()) -> AppendBatches {
        AppendBatches(plan: self, from: row, behind: digest)
    }

    /// The digest of the first rows, as many as there are.
    public func digest(of count: Int) throws -> RowDigest {
        var digest = RowDigest()
        var cursor = rows.cursor(from: 0)
        for _ in 0..<min(count, rows.count) {
            guard let line = try cursor.next() else { break }
            digest.add(line)
        }
        return digest
    }

    /// Refuses what cannot fit, even where every row of the grid is empty; what else does not fit is for Google to find out.
    private static func checkSize(_ sheet: ExistingSheet, _ target: [ExistingSheet]) throws(SheetModelError) {
        guard sheet.columns <= Limits.columns else {
            throw SheetModelError(
                .tooManyColumns,
                "a sheet holds at most \(Limits.columns.grouped) columns, got \(sheet.columns.grouped)")
        }
        let others = target.reduce(0) { $0 + ($1.id == sheet.id ? 0 : $1.rows * $1.columns) }
        let cells = others + sheet.rows * sheet.columns
        guard cells <= Limits.cells else { throw Spreadsheet.tooManyCells(cells) }
    }
}

extension SheetSummary {
    /// What a job has for a sheet that keeps its rows.
    fileprivate init(_ sheet: CheckedSheet, id: Int, header: Bool) {
        self.init(
            name: sheet.name, id: id, rows: sheet.rows.count, columns: sheet.columns.count,
            cells: (sheet.rows.count + (header ? 1 : 0)) * sheet.columns.count)
    }
}

import JSON

/// The writes that turn a target into a spreadsheet: the bodies of `spreadsheets.batchUpdate`, in their order.
///
/// The first batch makes the sheets and their look and writes as many rows as fit; the others only write rows. Every row has
/// its fixed place, so a batch but the first may be sent again whenever its end is unclear. The first one fits only the
/// target it was planned for: after an unclear end, look at the target's sheets and plan again. The ids are the same each
/// time, so sheets that the lost attempt made are recognised.
public struct SpreadsheetPlan: Sendable {
    /// What each sheet becomes.
    public let sheets: [SheetSummary]
    /// The cells that are written, with headers.
    public let cells: Int
    /// What is not written quite as it came.
    public let warnings: [ConversionWarning]

    let layouts: [SheetLayout]
    let encoders: [RowEncoder]
    /// The requests before the first row, with commas between.
    let head: ArraySlice<UInt8>
    let batchBytes: Int

    /// Plans a spreadsheet.
    ///
    /// - Parameters:
    ///   - spreadsheet: What shall stand there.
    ///   - target: The sheets that are there. The first one is taken over by the first sheet; any other sheet takes over the
    ///     one with the id that it would get. The rest is left alone.
    ///   - template: The look.
    ///   - batchBytes: The greatest size of a batch; only a single row longer than that makes a longer one, or formats of
    ///     very many columns.
    public init(
        _ spreadsheet: Spreadsheet, target: [ExistingSheet] = [.ofNewSpreadsheet],
        template: FormattingTemplate = .standard, batchBytes: Int = 8_000_000
    ) throws(SheetModelError) {
        let existing = Dictionary(target.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let firstID = target.first?.id ?? 0
        let count = spreadsheet.sheets.count
        let ids = [firstID] + (1...count).filter { $0 != firstID }.prefix(count - 1)
        layouts = zip(spreadsheet.sheets, ids).map { sheet, id in
            let columns = sheet.resolvedColumns
            return SheetLayout(
                sheet: sheet, columns: columns, grid: GridSize(of: sheet, columns: columns.count), id: id,
                existing: existing[id], bandingID: id + 1,
                widths: ColumnWidths.pixels(of: sheet, columns: columns, timeZone: spreadsheet.timeZone),
                template: template)
        }
        encoders = layouts.map { RowEncoder(columns: $0.columns, timeZone: spreadsheet.timeZone) }
        sheets = layouts.map { layout in
            let rows = layout.sheet.rows.count
            return SheetSummary(
                name: layout.sheet.name, id: layout.id, rows: rows, columns: layout.columns.count,
                cells: (rows + layout.grid.headerRows) * layout.columns.count)
        }
        cells = sheets.reduce(0) { $0 + $1.cells }
        warnings = spreadsheet.warnings
        self.batchBytes = batchBytes

        let others = target.filter { !ids.contains($0.id) }
        let grid = layouts.reduce(0) { $0 + $1.grid.cells } + others.reduce(0) { $0 + $1.rows * $1.columns }
        guard grid <= Limits.cells else { throw Spreadsheet.tooManyCells(grid) }

        let requests = [Self.properties(of: spreadsheet)] + layouts.flatMap(\.requests)
        guard requests.count + layouts.count <= Limits.requests else {
            throw SheetModelError(
                .tooManyFormats,
                "columns that look different from their neighbours need \(requests.count.grouped) requests, "
                    + "and Google takes at most \(Limits.requests.grouped)")
        }
        head = JSON.array(requests).bytes.dropFirst().dropLast()
    }

    /// The batches, made one at a time.
    public func batches() -> PlanBatches { PlanBatches(plan: self) }

    private static func properties(of spreadsheet: Spreadsheet) -> JSON {
        [
            "updateSpreadsheetProperties": [
                "properties": [
                    "locale": JSON(spreadsheet.locale), "timeZone": JSON(spreadsheet.timeZone.googleName),
                ],
                "fields": "locale,timeZone",
            ]
        ]
    }
}

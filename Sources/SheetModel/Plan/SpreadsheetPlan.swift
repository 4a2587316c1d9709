public import JSON

/// The writes that turn a target into a spreadsheet: the bodies of `spreadsheets.batchUpdate`, in their order.
///
/// The first batch makes the sheets and their look and writes as many rows as fit; the others only write rows. Every row has
/// its fixed place, so a batch but the first may be sent again whenever its end is unclear, and a later run may begin at
/// the row that an earlier one came to. The first batch fits only the target it was planned for: after an unclear end, look
/// at the target's sheets and plan again.
public struct SpreadsheetPlan: Sendable {
    /// What each sheet becomes.
    public let sheets: [SheetSummary]
    /// What is not written quite as it came.
    public let warnings: [ConversionWarning]

    let layouts: [SheetLayout]
    /// What each row of those asks; a layout itself is too large to be taken for every row.
    let shapes: [RowShape]

    /// How the rows of a sheet are written.
    struct RowShape: Sendable {
        /// How many rows before the data are the header's.
        let namedRows: Int
        /// Whether the columns are neighbours in the job's order.
        let isInOrder: Bool
        /// Whether values alone say all that a cell is to hold.
        let isPlain: Bool
    }

    let encoders: [RowEncoder]
    /// The requests before the first row, with commas between.
    let head: ArraySlice<UInt8>
    let batchBytes: Int
    /// The requests that concern no sheet.
    let properties: [JSON]
    /// The requests that leave notes on a sheet, by its index and its id.
    let notes: @Sendable (_ sheet: Int, _ id: Int) -> [JSON]
    /// What a reader should know of the sheets that were there.
    public let remarks: [String]

    /// Plans a spreadsheet.
    ///
    /// - Parameters:
    ///   - spreadsheet: What shall stand there.
    ///   - target: Where it shall stand.
    ///   - leftovers: Sheets of the target that go first of all, and count for nothing.
    ///   - template: The look; nil keeps that of sheets that are there: only values and number formats are written, and a
    ///     grid grows where it must.
    ///   - notes: The requests that leave notes on a sheet, by its index and its id.
    ///   - batchBytes: The greatest size of a batch; only a single row longer than that makes a longer one, or formats of
    ///     very many columns.
    public init(
        _ spreadsheet: Spreadsheet, target: PlanTarget = .empty, removing leftovers: [Int] = [],
        template: FormattingTemplate? = .standard,
        notes: @escaping @Sendable (_ sheet: Int, _ id: Int) -> [JSON] = { _, _ in [] }, batchBytes: Int = 8_000_000
    ) throws(SheetModelError) {
        let existing = Dictionary(target.sheets.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let ids = target.ids(for: spreadsheet.sheets)
        let origin = target.origin
        let layouts = zip(spreadsheet.sheets, ids).map { sheet, id in
            SheetLayout(sheet: sheet, id: id, existing: existing[id], origin: origin, template: template)
        }

        let others = target.sheets.filter { !ids.contains($0.id) }
        guard ids.count + others.count <= Limits.sheets else {
            throw SheetModelError(
                .sheetCount,
                "a spreadsheet holds at most \(Limits.sheets) sheets, this would make \(ids.count + others.count)")
        }
        let grid = layouts.reduce(0) { $0 + $1.grid.cells } + others.reduce(0) { $0 + $1.rows * $1.columns }
        guard grid <= Limits.cells else { throw Spreadsheet.tooManyCells(grid) }

        let properties = Self.properties(of: spreadsheet)
        try self.init(
            layouts,
            head: leftovers.map { SheetRequests(id: $0).delete() }
                + target.retired.map { SheetRequests(id: $0.id).retire() } + properties + layouts.flatMap(\.requests)
                + layouts.enumerated().flatMap { notes($0, $1.id) }
                + target.retired.map { SheetRequests(id: $0.id).delete() },
            properties: properties, notes: notes, warnings: spreadsheet.warnings, batchBytes: batchBytes)
    }

    /// Takes sheets whose sizes are known to be right, and the requests that come before their rows.
    init(
        _ layouts: [SheetLayout], head: [JSON], properties: [JSON],
        notes: @escaping @Sendable (_ sheet: Int, _ id: Int) -> [JSON] = { _, _ in [] },
        warnings: [ConversionWarning], batchBytes: Int
    ) throws(SheetModelError) {
        guard head.count + layouts.count <= Limits.requests else {
            throw SheetModelError(
                .tooManyFormats,
                "columns that look different from their neighbours need \(head.count.grouped) requests, "
                    + "and Google takes at most \(Limits.requests.grouped)")
        }
        self.layouts = layouts
        shapes = layouts.map { RowShape(namedRows: $0.namedRows, isInOrder: $0.isInOrder, isPlain: $0.isPlain) }
        encoders = layouts.map { RowEncoder(columns: $0.columns) }
        sheets = layouts.map(\.summary)
        self.head = JSON.array(head).bytes.dropFirst().dropLast()
        self.properties = properties
        self.notes = notes
        remarks = layouts.flatMap { layout in
            layout.split.map {
                "sheet \(excerpt(layout.sheet.name)): the merged cells \($0.a1) were parted, since rows of the job stand there"
            }
                + (layout.hasForeignFilter
                    ? [
                        "sheet \(excerpt(layout.sheet.name)): the filter that people have on "
                            + "\(layout.existing?.filter?.block.a1 ?? "the sheet") stays, and a sheet has only one, so that the "
                            + "template's is left out"
                    ] : [])
        }
        self.warnings = warnings
        self.batchBytes = batchBytes
    }

    /// The batches, made one at a time.
    ///
    /// - Parameters:
    ///   - position: The row to begin at, where an earlier run wrote all before it; nil for the beginning.
    ///   - usesValues: Whether rows behind the first batch go as plain values where they can be.
    public func batches(from position: PlanPosition? = nil, withValues usesValues: Bool = true) -> PlanBatches {
        PlanBatches(plan: self, from: position, usesValues: usesValues)
    }

    /// How many rows of data lie before a position.
    public func rows(before position: PlanPosition) -> Int {
        let earlier = sheets.prefix(position.sheet).reduce(0) { $0 + $1.rows }
        guard layouts.indices.contains(position.sheet) else { return earlier }
        return earlier + max(0, position.row - layouts[position.sheet].namedRows)
    }

    private static func properties(of spreadsheet: Spreadsheet) -> [JSON] {
        var properties = JSONObject()
        properties["locale"] = spreadsheet.locale.map(JSON.string)
        properties["timeZone"] = spreadsheet.timeZone.map { JSON.string($0.googleName) }
        guard !properties.isEmpty else { return [] }
        let fields = properties.names.joined(separator: ",")
        return [["updateSpreadsheetProperties": ["properties": .object(properties), "fields": .string(fields)]]]
    }
}

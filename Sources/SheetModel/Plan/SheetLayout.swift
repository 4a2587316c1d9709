import JSON

/// One sheet with everything decided: its id, its grid, and what is done to it before data comes.
struct SheetLayout: Sendable {
    /// Who filled a sheet that is there already.
    enum Origin {
        /// Nobody: Google made it with the spreadsheet, or an earlier request of the same plan.
        case nobody
        /// Perhaps an earlier attempt.
        case attempt
        /// Somebody else.
        case foreign
    }

    let sheet: CheckedSheet
    let grid: GridSize
    /// Google's `sheetId`.
    let id: Int
    /// Whether rows can go as plain values: as they are, without formulas and links.
    let isPlain: Bool
    /// The columns in runs of neighbours.
    let runs: [SheetPlace.Run]
    /// Whether the columns are neighbours in the job's order.
    let isInOrder: Bool
    /// How many rows the table gets that the columns stand in.
    let tableGrowth: Int
    /// The sheet that has this id in the target already.
    let existing: ExistingSheet?
    /// What is known of the cells of that sheet.
    private let origin: Origin
    /// The look; nil keeps the one that is there.
    let template: FormattingTemplate?
    /// Where the columns stand.
    let place: SheetPlace
    /// Whether the rest of the sheet is other people's.
    let isShared: Bool
    let widths: [Int]

    init(
        sheet: CheckedSheet, id: Int, existing: ExistingSheet?, origin: Origin, template: FormattingTemplate?
    ) {
        self.sheet = sheet
        self.id = id
        self.existing = existing
        self.origin = origin
        isShared = existing?.place != nil
        place = existing?.place ?? SheetPlace(inOrder: sheet.columns.count, hasHeader: sheet.hasHeader)
        runs = place.runs()
        isInOrder = runs.count <= 1 && (runs.first?.columns.elementsEqual(sheet.columns.indices) ?? true)
        isPlain = isInOrder && sheet.columns.allSatisfy { $0.type != .link && $0.type != .formula }
        if let existing, existing.place != nil {
            self.template = template
            let first = place.row + (sheet.hasHeader ? 1 : 0)
            tableGrowth = place.table.map { max(0, first + max(1, sheet.rows.count) - $0.bodyEnd) } ?? 0
            grid = GridSize(
                of: existing, rows: max(existing.rows + tableGrowth, first + max(1, sheet.rows.count)),
                columns: place.width)
            widths = template.map { ColumnWidths.pixels(of: sheet, template: $0.columnWidths) } ?? []
            return
        }
        tableGrowth = 0
        let needed = GridSize(
            rows: sheet.rows.count, columns: sheet.columns.count, hasHeader: sheet.hasHeader)
        if let existing, template == nil, !existing.isReset {
            self.template = nil
            grid = needed.grown(from: existing)
            widths = []
        } else {
            let template = template ?? .standard
            self.template = template
            grid = needed
            widths = ColumnWidths.pixels(of: sheet, template: template.columnWidths)
        }
    }

    var columns: [Column] { sheet.columns }

    /// What becomes of the sheet.
    var summary: SheetSummary {
        SheetSummary(
            name: sheet.name, id: id, rows: sheet.rows.count, columns: columns.count,
            cells: (sheet.rows.count + (sheet.hasHeader ? 1 : 0)) * columns.count)
    }

    /// How many rows of names come before those of data; in a shared sheet names are written apart from them.
    var namedRows: Int { isShared ? 0 : grid.headerRows }

    /// The index in the sheet of the first row that is written.
    var firstRow: Int { isShared ? place.row + (sheet.hasHeader ? 1 : 0) : 0 }

    var hasLinks: Bool { columns.contains { $0.type == .link } }

    /// The requests that make the sheet and its look, in the order in which Sheets must see them.
    var requests: [JSON] { gridAndLook + columnSettings }

    /// The requests that make the sheet and its look, but for what columns ask for beside it.
    var gridAndLook: [JSON] {
        if isShared { return sharedRequests }
        if let template { return make(template) }
        return growth + [make.clearValues(columns: 0..<max(1, columns.count))] + numberFormats
    }

    var make: SheetRequests { SheetRequests(id: id) }
    private var headerRows: Range<Int> { 0..<grid.headerRows }
    private var dataRows: Range<Int> { grid.headerRows..<grid.rows }

    private func make(_ template: FormattingTemplate) -> [JSON] {
        let isReset = existing != nil && origin == .foreign
        var requests = isReset ? stripping : make.deleteBandings(existing?.bandingIDs ?? [])
        requests.append(properties(frozenRows: template.frozenRows))
        if isReset {
            requests += make.renew(rows: grid.rows, columns: grid.columns)
        } else if existing != nil, origin != .nobody {
            requests.append(make.clearValues())
        }
        return requests + cellFormats(template) + fittings(template)
    }

    /// The look of the cells.
    ///
    /// Whole formats are set, so that what stood there before does not shine through.
    func cellFormats(_ template: FormattingTemplate) -> [JSON] {
        let all = 0..<grid.columns
        var requests = [make.format(template.body, rows: dataRows, columns: all, fields: "userEnteredFormat")]
        if grid.headerRows > 0 {
            requests.append(make.format(template.header, rows: headerRows, columns: all, fields: "userEnteredFormat"))
        }
        return requests + columnFormats
    }

    /// The look of the sheet around its cells.
    func fittings(_ template: FormattingTemplate) -> [JSON] {
        let all = 0..<grid.columns
        var requests: [JSON] = []
        if let bands = template.bands {
            requests.append(
                make.banding(bands, hasHeader: grid.headerRows > 0, rows: 0..<grid.rows, columns: all))
        }
        // An empty sheet may have somebody's filter; one that is made like new has none any more.
        if template.hasFilter, grid.headerRows > 0, origin != .nobody || existing?.filter == nil {
            requests.append(make.filter(rows: 0..<grid.rows, columns: all))
        }
        return requests + make.widths(widths)
    }

    /// What columns ask for beside values and look: to be hidden, and a note on the heading.
    var columnSettings: [JSON] {
        make.settings(of: columns, at: place.columns, headerRow: sheet.hasHeader ? place.row : nil)
    }

    /// Makes the sheet with its name and its grid, or gives them to one that is there.
    func properties(frozenRows: Int) -> JSON {
        // Sheets refuses to freeze every row.
        let frozen = grid.headerRows == 0 ? 0 : min(frozenRows, grid.rows - 1)
        let properties: JSON = [
            "title": JSON(sheet.name),
            "gridProperties": [
                "rowCount": JSON(grid.rows), "columnCount": JSON(grid.columns), "frozenRowCount": JSON(frozen),
                "frozenColumnCount": 0,
            ],
        ]
        return existing == nil
            ? make.add(properties)
            : make.change(
                properties, fields: "title,gridProperties(rowCount,columnCount,frozenRowCount,frozenColumnCount)")
    }

    /// Takes away all that people have hung on a sheet that is made like new.
    private var stripping: [JSON] {
        guard let existing else { return [] }
        return existing.belongings.removals
            + existing.tables.map { ["deleteTable": ["tableId": .string($0.id)]] }
            + Array(
                repeating: ["deleteConditionalFormatRule": ["sheetId": JSON(id), "index": 0]],
                count: existing.belongings.conditionalFormats)
            + make.strip(bandingIDs: existing.bandingIDs)
    }

    /// Makes room for data in a sheet that keeps its look.
    var growth: [JSON] {
        guard let existing, grid.rows > existing.rows || grid.columns > existing.columns else { return [] }
        return [
            make.change(
                ["gridProperties": ["rowCount": JSON(grid.rows), "columnCount": JSON(grid.columns)]],
                fields: "gridProperties(rowCount,columnCount)")
        ]
    }

    /// How values show that mean nothing without it, such as a date's number; no more than the rows of data get it.
    private var numberFormats: [JSON] {
        let rows = grid.headerRows..<grid.headerRows + max(1, sheet.rows.count)
        return make.runs(of: columns, by: \.numberFormat).compactMap { range, column in
            guard let format = column.numberFormat else { return Optional.none }
            return make.format(
                ["numberFormat": format.json], rows: rows, columns: range, fields: "userEnteredFormat.numberFormat")
        }
    }

    /// One request for each run of columns that look alike; a format in each cell would cost half as much again as the data.
    private var columnFormats: [JSON] {
        var requests: [JSON] = []
        for (range, column) in make.runs(of: columns, by: { [$0.numberFormat?.json, alignment(of: $0)] }) {
            requests += look(of: column, rows: dataRows, columns: range)
        }
        guard grid.headerRows > 0 else { return requests }
        for (range, column) in make.runs(of: columns, by: alignment(of:)) {
            guard let alignment = alignment(of: column) else { continue }
            requests.append(
                make.format(
                    ["horizontalAlignment": alignment], rows: headerRows, columns: range,
                    fields: "userEnteredFormat.horizontalAlignment"))
        }
        return requests
    }

    /// How the values of a column look beside what the template says of all.
    func look(of column: Column, rows: Range<Int>, columns: Range<Int>) -> [JSON] {
        var look = JSONObject()
        look["numberFormat"] = column.numberFormat?.json
        look["horizontalAlignment"] = alignment(of: column)
        guard !look.isEmpty else { return [] }
        let fields = "userEnteredFormat(\(look.names.joined(separator: ",")))"
        return [make.format(.object(look), rows: rows, columns: columns, fields: fields)]
    }

    func alignment(of column: Column) -> JSON? {
        if column.type == .boolean { return "CENTER" }
        // Not plain `nil`, which could be JSON's null.
        return column.type.isRightAligned ? "RIGHT" : Optional.none
    }
}

extension NumberFormat {
    /// Google's `NumberFormat`.
    var json: JSON {
        var object = JSONObject()
        object["type"] = JSON(type)
        object["pattern"] = pattern.map { JSON.string($0) }
        return .object(object)
    }
}

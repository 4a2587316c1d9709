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
    /// Whether each cell's value says all of it, which formulas and links do not.
    let isPlain: Bool
    /// The sheet that has this id in the target already.
    let existing: ExistingSheet?
    /// What is known of the cells of that sheet.
    private let origin: Origin
    /// The look; nil keeps the one that is there.
    let template: FormattingTemplate?
    private let widths: [Int]

    init(
        sheet: CheckedSheet, id: Int, existing: ExistingSheet?, origin: Origin, template: FormattingTemplate?
    ) {
        self.sheet = sheet
        self.id = id
        self.existing = existing
        self.origin = origin
        isPlain = sheet.columns.allSatisfy { $0.type != .link && $0.type != .formula }
        let needed = GridSize(
            rows: sheet.rows.count, columns: sheet.columns.count, hasHeader: sheet.hasHeader)
        if let existing, template == nil {
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
            cells: (sheet.rows.count + grid.headerRows) * columns.count)
    }

    var hasLinks: Bool { columns.contains { $0.type == .link } }

    /// The requests that make the sheet and its look, in the order in which Sheets must see them.
    var requests: [JSON] { gridAndLook + columnSettings }

    /// The requests that make the sheet and its look, but for what columns ask for beside it.
    var gridAndLook: [JSON] {
        if let template { return make(template) }
        return growth + [make.clearValues(columns: 0..<max(1, columns.count))] + numberFormats
    }

    var make: SheetRequests { SheetRequests(id: id) }
    private var headerRows: Range<Int> { 0..<grid.headerRows }
    private var dataRows: Range<Int> { grid.headerRows..<grid.rows }

    private func make(_ template: FormattingTemplate) -> [JSON] {
        let bandings = existing?.bandingIDs ?? []
        var requests =
            existing != nil && origin == .foreign
            ? make.strip(bandingIDs: bandings) : make.deleteBandings(bandings)
        requests.append(properties(frozenRows: template.frozenRows))
        if existing != nil, origin != .nobody { requests.append(make.clearValues()) }
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
        if template.hasFilter, grid.headerRows > 0 {
            requests.append(make.filter(rows: 0..<grid.rows, columns: all))
        }
        return requests + make.widths(widths)
    }

    /// What columns ask for beside values and look: to be hidden, and a note on the heading.
    var columnSettings: [JSON] {
        make.settings(of: columns, at: ColumnPlaces(inOrder: columns.count), headerRow: grid.headerRows > 0 ? 0 : nil)
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
            var look = JSONObject()
            look["numberFormat"] = column.numberFormat?.json
            look["horizontalAlignment"] = alignment(of: column)
            guard !look.isEmpty else { continue }
            let fields = "userEnteredFormat(\(look.names.joined(separator: ",")))"
            requests.append(make.format(.object(look), rows: dataRows, columns: range, fields: fields))
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

    private func alignment(of column: Column) -> JSON? {
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

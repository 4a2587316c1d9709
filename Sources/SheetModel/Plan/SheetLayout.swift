import JSON

/// One sheet with everything decided: its id, its grid, and what is done to it before data comes.
struct SheetLayout: Sendable {
    let sheet: CheckedSheet
    let grid: GridSize
    /// Google's `sheetId`.
    let id: Int
    /// The sheet that has this id in the target already.
    private let existing: ExistingSheet?
    /// Whether somebody else made that sheet.
    private let isForeign: Bool
    /// The look; nil keeps the one that is there.
    private let template: FormattingTemplate?
    private let widths: [Int]

    init(
        sheet: CheckedSheet, id: Int, existing: ExistingSheet?, isForeign: Bool, template: FormattingTemplate?
    ) {
        self.sheet = sheet
        self.id = id
        self.existing = existing
        self.isForeign = isForeign
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
    var hasLinks: Bool { columns.contains { $0.type == .link } }

    /// The requests that make the sheet and its look, in the order in which Sheets must see them.
    var requests: [JSON] {
        if let template { return make(template) }
        return growth + [make.clearValues(columns: 0..<max(1, columns.count))] + numberFormats
    }

    private var make: SheetRequests { SheetRequests(id: id) }
    private var headerRows: Range<Int> { 0..<grid.headerRows }
    private var dataRows: Range<Int> { grid.headerRows..<grid.rows }

    private func make(_ template: FormattingTemplate) -> [JSON] {
        var requests =
            isForeign && existing != nil
            ? make.strip(bandingIDs: existing?.bandingIDs ?? []) : make.deleteBandings(existing?.bandingIDs ?? [])
        requests.append(properties(frozenRows: template.frozenRows))
        if isForeign && existing != nil { requests.append(make.clearValues()) }
        // The whole format is set, so that what stood there before does not shine through.
        let all = 0..<grid.columns
        requests.append(make.format(template.body, rows: dataRows, columns: all, fields: "userEnteredFormat"))
        if grid.headerRows > 0 {
            requests.append(make.format(template.header, rows: headerRows, columns: all, fields: "userEnteredFormat"))
        }
        requests += columnFormats
        if let bands = template.bands {
            requests.append(
                make.banding(bands, hasHeader: grid.headerRows > 0, rows: 0..<grid.rows, columns: all))
        }
        if template.hasFilter, grid.headerRows > 0 {
            requests.append(make.filter(rows: 0..<grid.rows, columns: all))
        }
        return requests + make.widths(widths)
    }

    private func properties(frozenRows: Int) -> JSON {
        // Sheets refuses to freeze every row.
        let frozen = grid.headerRows == 0 ? 0 : min(frozenRows, grid.rows - 1)
        let properties: JSON = [
            "sheetId": JSON(id), "title": JSON(sheet.name),
            "gridProperties": [
                "rowCount": JSON(grid.rows), "columnCount": JSON(grid.columns), "frozenRowCount": JSON(frozen),
                "frozenColumnCount": 0,
            ],
        ]
        guard existing != nil else { return ["addSheet": ["properties": properties]] }
        return [
            "updateSheetProperties": [
                "properties": properties,
                "fields": "title,gridProperties(rowCount,columnCount,frozenRowCount,frozenColumnCount)",
            ]
        ]
    }

    /// Makes room for data in a sheet that keeps its look.
    var growth: [JSON] {
        guard let existing, grid.rows > existing.rows || grid.columns > existing.columns else { return [] }
        let properties: JSON = [
            "sheetId": JSON(id), "gridProperties": ["rowCount": JSON(grid.rows), "columnCount": JSON(grid.columns)],
        ]
        return [
            ["updateSheetProperties": ["properties": properties, "fields": "gridProperties(rowCount,columnCount)"]]
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

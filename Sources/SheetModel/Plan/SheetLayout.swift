import JSON

/// One sheet with everything decided: its id, its grid, and what is done to it before data comes.
struct SheetLayout: Sendable {
    let sheet: Sheet
    let columns: [Column]
    let grid: GridSize
    /// Google's `sheetId`.
    let id: Int
    /// The sheet that has this id in the target already.
    let existing: ExistingSheet?
    let bandingID: Int
    let widths: [Int]
    let template: FormattingTemplate

    var hasLinks: Bool { columns.contains { $0.type == .link } }

    /// The requests that make the sheet and its look, in the order in which Sheets must see them.
    var requests: [JSON] {
        var requests = (existing?.bandingIDs ?? []).map { id -> JSON in ["deleteBanding": ["bandedRangeId": JSON(id)]] }
        requests.append(properties)
        // The whole format is set, so that what an earlier attempt left does not shine through.
        requests.append(format(template.body, rows: dataRows, columns: 0..<grid.columns, fields: "userEnteredFormat"))
        if grid.headerRows > 0 {
            requests.append(
                format(template.header, rows: headerRows, columns: 0..<grid.columns, fields: "userEnteredFormat"))
        }
        requests += columnFormats
        requests.append(banding)
        requests += columnWidths
        return requests
    }

    private var headerRows: Range<Int> { 0..<grid.headerRows }
    private var dataRows: Range<Int> { grid.headerRows..<grid.rows }

    private var properties: JSON {
        let properties: JSON = [
            "sheetId": JSON(id), "title": JSON(sheet.name),
            "gridProperties": [
                "rowCount": JSON(grid.rows), "columnCount": JSON(grid.columns), "frozenRowCount": JSON(grid.headerRows),
            ],
        ]
        guard existing != nil else { return ["addSheet": ["properties": properties]] }
        return [
            "updateSheetProperties": [
                "properties": properties, "fields": "title,gridProperties(rowCount,columnCount,frozenRowCount)",
            ]
        ]
    }

    private func range(rows: Range<Int>, columns: Range<Int>) -> JSON {
        [
            "sheetId": JSON(id),
            "startRowIndex": JSON(rows.lowerBound), "endRowIndex": JSON(rows.upperBound),
            "startColumnIndex": JSON(columns.lowerBound), "endColumnIndex": JSON(columns.upperBound),
        ]
    }

    private func format(_ format: JSON, rows: Range<Int>, columns: Range<Int>, fields: String) -> JSON {
        [
            "repeatCell": [
                "range": range(rows: rows, columns: columns), "cell": ["userEnteredFormat": format],
                "fields": JSON(fields),
            ]
        ]
    }

    /// One request for each run of columns that look alike; a format in each cell would cost half as much again as the data.
    private var columnFormats: [JSON] {
        var requests: [JSON] = []
        for (columns, column) in runs(of: columns, by: { [$0.numberFormat?.json, alignment(of: $0)] }) {
            var look = JSONObject()
            look["numberFormat"] = column.numberFormat?.json
            look["horizontalAlignment"] = alignment(of: column)
            guard !look.isEmpty else { continue }
            let fields = "userEnteredFormat(\(look.names.joined(separator: ",")))"
            requests.append(format(.object(look), rows: dataRows, columns: columns, fields: fields))
        }
        guard grid.headerRows > 0 else { return requests }
        for (columns, column) in runs(of: columns, by: alignment(of:)) {
            guard let alignment = alignment(of: column) else { continue }
            requests.append(
                format(
                    ["horizontalAlignment": alignment], rows: headerRows, columns: columns,
                    fields: "userEnteredFormat.horizontalAlignment"))
        }
        return requests
    }

    private func alignment(of column: Column) -> JSON? {
        if column.type == .boolean { return "CENTER" }
        // Not plain `nil`, which could be JSON's null.
        return column.type.isRightAligned ? "RIGHT" : Optional.none
    }

    private var banding: JSON {
        var bands = JSONObject()
        if grid.headerRows > 0 { bands["headerColorStyle"] = template.headerColor }
        bands["firstBandColorStyle"] = template.firstBandColor
        bands["secondBandColorStyle"] = template.secondBandColor
        return [
            "addBanding": [
                "bandedRange": [
                    "bandedRangeId": JSON(bandingID),
                    "range": range(rows: 0..<grid.rows, columns: 0..<grid.columns), "rowProperties": .object(bands),
                ]
            ]
        ]
    }

    private var columnWidths: [JSON] {
        runs(of: widths, by: { $0 }).map { columns, width in
            [
                "updateDimensionProperties": [
                    "range": [
                        "sheetId": JSON(id), "dimension": "COLUMNS", "startIndex": JSON(columns.lowerBound),
                        "endIndex": JSON(columns.upperBound),
                    ],
                    "properties": ["pixelSize": JSON(width)], "fields": "pixelSize",
                ]
            ]
        }
    }

    /// Neighbours with the same key, as the range of their indices and the first of them.
    private func runs<Element>(
        of elements: [Element], by key: (Element) -> some Equatable
    ) -> [(range: Range<Int>, first: Element)] {
        var runs: [(range: Range<Int>, first: Element)] = []
        for (index, element) in elements.enumerated() {
            if let last = runs.last, key(last.first) == key(element) {
                runs[runs.count - 1].range = last.range.lowerBound..<index + 1
            } else {
                runs.append((index..<index + 1, element))
            }
        }
        return runs
    }
}

extension NumberFormat {
    /// Google's `NumberFormat`.
    fileprivate var json: JSON {
        var object = JSONObject()
        object["type"] = JSON(type)
        object["pattern"] = pattern.map { JSON.string($0) }
        return .object(object)
    }
}

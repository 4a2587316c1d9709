import JSON

/// A sheet of which other people use the rest.
extension SheetLayout {
    /// The rows that the job's columns have for data, to the end of the table or of the grid.
    private var body: Range<Int> {
        firstRow..<max(firstRow, place.table.map { $0.bodyEnd + tableGrowth } ?? grid.rows)
    }

    /// The rows that hold data.
    private var dataRows: Range<Int> { firstRow..<firstRow + sheet.rows.count }

    /// What is done before rows are written: nothing is deleted, and nothing beside the job's own cells changes.
    var sharedRequests: [JSON] {
        room + splits + clearings + names + (template.map(look) ?? numberFormats) + shownRows
    }

    /// Makes room: a longer grid, and a longer table, whose new rows push down what stands below it.
    private var room: [JSON] {
        guard let table = place.table, tableGrowth > 0 else { return growth }
        let end = table.block.rows.upperBound + tableGrowth
        return growth + [
            [
                "insertRange": [
                    "range": make.range(
                        rows: table.bodyEnd..<table.bodyEnd + tableGrowth, columns: table.block.columns),
                    "shiftDimension": "ROWS",
                ]
            ],
            [
                "updateTable": [
                    "table": [
                        "tableId": .string(table.id),
                        "range": make.range(rows: table.block.rows.lowerBound..<end, columns: table.block.columns),
                    ], "fields": "range",
                ]
            ],
        ]
    }

    /// The merged cells in which values would be lost.
    var split: [CellBlock] {
        guard isShared else { return [] }
        let rows = dataRows.isEmpty ? firstRow..<firstRow + 1 : dataRows
        return (existing?.merges ?? []).filter { merge in
            runs.contains { merge.overlaps(CellBlock(rows: rows, columns: $0.range)) }
                || place.unnamed.contains {
                    merge.rows.contains(place.row) && merge.columns.contains(place.columns[$0])
                }
        }
    }

    private var splits: [JSON] {
        split.map { ["unmergeCells": ["range": make.range(rows: $0.rows, columns: $0.columns)]] }
    }

    private var clearings: [JSON] {
        let own = place.columns.sorted().runs.map { (body, $0) }
        let abandoned = place.abandoned.runs.map { (place.row..<body.upperBound, $0) }
        return (own + abandoned).filter { !$0.0.isEmpty }.map { rows, columns in
            make.clearValues(rows: rows, columns: columns)
        }
    }

    /// The names that the header does not show yet.
    private var names: [JSON] {
        place.runs(of: place.unnamed.filter { !columns[$0].name.isEmpty }).map { run in
            [
                "updateCells": [
                    "start": [
                        "sheetId": JSON(id), "rowIndex": JSON(place.row), "columnIndex": JSON(run.place),
                    ],
                    "rows": [
                        [
                            "values": .array(
                                run.columns.map { ["userEnteredValue": ["stringValue": .string(columns[$0].name)]] })
                        ]
                    ], "fields": "userEnteredValue",
                ]
            ]
        }
    }

    /// How numbers and dates are shown: as in the first row of data, where that is the column's kind.
    private var numberFormats: [JSON] {
        let rows = firstRow..<firstRow + max(1, sheet.rows.count)
        let formats = columns.indices.map { columns[$0].format(in: place.formats[$0]) }
        return place.runs(together: { formats[$0] == formats[$1] }).compactMap { run in
            guard let format = formats[run.columns[0]] else { return nil }
            return make.format(
                format.isNull ? [:] : ["numberFormat": format], rows: rows, columns: run.range,
                fields: "userEnteredFormat.numberFormat")
        }
    }

    /// Rows with new data are seen.
    private var shownRows: [JSON] {
        place.mayHideRows && !dataRows.isEmpty ? [make.show(rows: dataRows)] : []
    }

    // MARK: A template

    /// The template's look for the job's own columns.
    private func look(_ template: FormattingTemplate) -> [JSON] {
        let (header, rows) = (place.row..<firstRow, body.isEmpty ? firstRow..<firstRow + 1 : body)
        var requests: [JSON] = []
        for run in place.runs() {
            requests.append(
                make.format(template.body, rows: rows, columns: run.range, fields: "userEnteredFormat"))
            guard !header.isEmpty else { continue }
            requests.append(
                make.format(template.header, rows: header, columns: run.range, fields: "userEnteredFormat"))
        }
        func kind(_ column: Int) -> [JSON?] { [columns[column].numberFormat?.json, alignment(of: columns[column])] }
        for run in place.runs(together: { kind($0) == kind($1) }) {
            let column = columns[run.columns[0]]
            requests += look(of: column, rows: rows, columns: run.range)
            guard !header.isEmpty, let alignment = alignment(of: column) else { continue }
            requests.append(
                make.format(
                    ["horizontalAlignment": alignment], rows: header, columns: run.range,
                    fields: "userEnteredFormat.horizontalAlignment"))
        }
        requests += place.runs(together: { widths[$0] == widths[$1] }).map {
            make.width(widths[$0.columns[0]], of: $0.range)
        }
        // A table has bands and a filter of its own.
        guard place.table == nil else { return requests }
        if !header.isEmpty {
            requests.append(
                make.change(
                    ["gridProperties": ["frozenRowCount": JSON(min(place.row + template.frozenRows, grid.rows - 1))]],
                    fields: "gridProperties.frozenRowCount"))
        }
        if let bands = template.bands { requests += banding(bands) }
        if template.hasFilter, !header.isEmpty, !columns.isEmpty {
            requests += filter
        }
        return requests
    }

    /// The cells that a filter for the job's columns covers.
    private var filtered: CellBlock {
        CellBlock(
            rows: place.row..<max(dataRows.upperBound, firstRow + 1),
            columns: (place.columns.min() ?? 0)..<place.width)
    }

    /// A filter for the job's columns; one that is there stays, and where it covers them, goes on to the last row.
    private var filter: [JSON] {
        guard let there = existing?.filter else { return [make.filter(rows: filtered.rows, columns: filtered.columns)] }
        guard !hasForeignFilter, there.block.rows.upperBound < filtered.rows.upperBound,
            var filter = there.json.object
        else { return [] }
        filter["range"] = make.range(rows: filtered.rows, columns: there.block.columns)
        return [["setBasicFilter": ["filter": .object(filter)]]]
    }

    /// Whether the template's filter has to stand back for one that people have elsewhere on the sheet.
    var hasForeignFilter: Bool {
        guard isShared, let template, template.hasFilter, place.table == nil, sheet.hasHeader, !columns.isEmpty,
            let there = existing?.filter
        else { return false }
        return there.block.rows.lowerBound != filtered.rows.lowerBound
            || there.block.columns.clamped(to: filtered.columns) != filtered.columns
    }

    /// Coloured bands for the job's columns; those of others make room where they can.
    private func banding(_ bands: FormattingTemplate.Bands) -> [JSON] {
        let rows = place.row..<max(dataRows.upperBound, firstRow + 1)
        let ranges = place.columns.sorted().runs
        var (requests, blocked): ([JSON], [CellBlock]) = ([], [])
        for banding in existing?.bandings ?? [] {
            let block = banding.block ?? CellBlock(rows: 0..<grid.rows, columns: 0..<grid.columns)
            let hits = ranges.filter { $0.overlaps(block.columns) }
            // Where only a part is the job's, the bands of the rest stay where they are.
            guard let hit = hits.first, block.rows.upperBound > place.row else { continue }
            var rest = block
            if hits.count == 1, hit.lowerBound <= block.columns.lowerBound {
                rest.columns = min(hit.upperBound, block.columns.upperBound)..<block.columns.upperBound
            } else if hits.count == 1, hit.upperBound >= block.columns.upperBound {
                rest.columns = block.columns.lowerBound..<hit.lowerBound
            } else if !block.columns.allSatisfy({ column in hits.contains { $0.contains(column) } }) {
                blocked.append(block)
                continue
            } else {
                rest.columns = block.columns.lowerBound..<block.columns.lowerBound
            }
            requests.append(
                rest.columns.isEmpty
                    ? ["deleteBanding": ["bandedRangeId": JSON(banding.id)]]
                    : [
                        "updateBanding": [
                            "bandedRange": [
                                "bandedRangeId": JSON(banding.id),
                                "range": make.range(rows: rest.rows, columns: rest.columns),
                            ], "fields": "range",
                        ]
                    ])
        }
        for columns in ranges {
            let block = CellBlock(rows: rows, columns: columns)
            guard !blocked.contains(where: { $0.overlaps(block) }) else { continue }
            requests.append(make.banding(bands, hasHeader: sheet.hasHeader, rows: rows, columns: columns))
        }
        return requests
    }
}

extension Column {
    /// The `NumberFormat` for values of the column in a sheet that shows them in one of its own.
    ///
    /// It is what the job asks for, else the sheet's own where that is of the same kind. JSON's null takes a format away that
    /// would show them as something else.
    func format(in own: JSON?) -> JSON? {
        if let asked = numberFormat {
            if format == nil, let own, own["type"]?.string == asked.type { return own }
            return asked.json
        }
        let misleads = type == .number && ["DATE", "TIME", "DATE_TIME", "TEXT"].contains(own?["type"]?.string ?? "")
        return misleads ? .null : own
    }
}

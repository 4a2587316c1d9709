import JSON

/// The requests of `spreadsheets.batchUpdate` that concern one sheet.
struct SheetRequests {
    /// Google's `sheetId`.
    let id: Int

    /// A rectangle of the sheet; nil is everything in that direction.
    func range(rows: Range<Int>?, columns: Range<Int>?) -> JSON {
        var range = JSONObject()
        range["sheetId"] = JSON(id)
        if let rows {
            range["startRowIndex"] = JSON(rows.lowerBound)
            range["endRowIndex"] = JSON(rows.upperBound)
        }
        if let columns {
            range["startColumnIndex"] = JSON(columns.lowerBound)
            range["endColumnIndex"] = JSON(columns.upperBound)
        }
        return .object(range)
    }

    /// Makes the sheet.
    func add(_ properties: JSON) -> JSON { ["addSheet": ["properties": named(properties)]] }

    /// Changes the fields that are named of the sheet's `SheetProperties`.
    func change(_ properties: JSON, fields: String) -> JSON {
        ["updateSheetProperties": ["properties": named(properties), "fields": JSON(fields)]]
    }

    /// Gives the sheet's name and its room away.
    func retire() -> JSON {
        change(
            [
                "title": .string("retired \(id)"),
                "gridProperties": ["rowCount": 1, "columnCount": 1, "frozenRowCount": 0, "frozenColumnCount": 0],
            ], fields: "title,gridProperties(rowCount,columnCount,frozenRowCount,frozenColumnCount)")
    }

    func delete() -> JSON { ["deleteSheet": ["sheetId": JSON(id)]] }

    private func named(_ properties: JSON) -> JSON {
        var object = properties.object ?? JSONObject()
        object["sheetId"] = JSON(id)
        return .object(object)
    }

    /// Gives all cells of a rectangle one format, as far as the fields name it.
    func format(_ format: JSON, rows: Range<Int>, columns: Range<Int>, fields: String) -> JSON {
        [
            "repeatCell": [
                "range": range(rows: rows, columns: columns), "cell": ["userEnteredFormat": format],
                "fields": JSON(fields),
            ]
        ]
    }

    /// The fields of a cell that are written anew: its value, and the links and formats within it that belong to the value.
    static let contents = "userEnteredValue,userEnteredFormat.textFormat.link,textFormatRuns"

    /// Takes the values of a rectangle away.
    func clearValues(rows: Range<Int>? = nil, columns: Range<Int>? = nil) -> JSON {
        ["updateCells": ["range": range(rows: rows, columns: columns), "fields": .string(Self.contents)]]
    }

    /// Takes away what would get into the way of new contents: merged cells, a filter, coloured bands.
    func strip(bandingIDs: [Int]) -> [JSON] {
        [
            ["unmergeCells": ["range": range(rows: nil, columns: nil)]], ["clearBasicFilter": ["sheetId": JSON(id)]],
        ] + deleteBandings(bandingIDs)
    }

    /// Makes all cells of a grid like new ones, and its rows and columns as high, as wide and as visible.
    func renew(rows: Int, columns: Int) -> [JSON] {
        [
            ["updateCells": ["range": range(rows: nil, columns: nil), "fields": "*"]],
            show(rows: 0..<rows),
            dimension(
                "COLUMNS", 0..<columns, ["hiddenByUser": false, "pixelSize": 100], fields: "hiddenByUser,pixelSize"),
            ["autoResizeDimensions": ["dimensions": dimensions("ROWS", 0..<rows)]],
            change(
                ["gridProperties": [:]],
                fields:
                    "rightToLeft,tabColorStyle,gridProperties(hideGridlines,rowGroupControlAfter,columnGroupControlAfter)"
            ),
        ]
    }

    /// Shows rows that somebody hid.
    func show(rows: Range<Int>) -> JSON { dimension("ROWS", rows, ["hiddenByUser": false], fields: "hiddenByUser") }

    private func dimension(_ name: String, _ range: Range<Int>, _ properties: JSON, fields: String) -> JSON {
        [
            "updateDimensionProperties": [
                "range": dimensions(name, range), "properties": properties, "fields": .string(fields),
            ]
        ]
    }

    private func dimensions(_ name: String, _ range: Range<Int>) -> JSON {
        [
            "sheetId": JSON(id), "dimension": .string(name), "startIndex": JSON(range.lowerBound),
            "endIndex": JSON(range.upperBound),
        ]
    }

    func deleteBandings(_ ids: [Int]) -> [JSON] { ids.map { ["deleteBanding": ["bandedRangeId": JSON($0)]] } }

    /// Colours rows by turns; Google chooses the id.
    func banding(_ bands: FormattingTemplate.Bands, hasHeader: Bool, rows: Range<Int>, columns: Range<Int>) -> JSON {
        var colors = JSONObject()
        if hasHeader { colors["headerColorStyle"] = bands.header ?? bands.first }
        colors["firstBandColorStyle"] = bands.first
        colors["secondBandColorStyle"] = bands.second
        return [
            "addBanding": [
                "bandedRange": ["range": range(rows: rows, columns: columns), "rowProperties": .object(colors)]
            ]
        ]
    }

    func filter(rows: Range<Int>, columns: Range<Int>) -> JSON {
        ["setBasicFilter": ["filter": ["range": range(rows: rows, columns: columns)]]]
    }

    /// Sets the widths of the first columns, in pixels.
    func widths(_ widths: [Int]) -> [JSON] {
        runs(of: widths, by: { $0 }).map { columns, width in self.width(width, of: columns) }
    }

    /// Sets the width of some columns, in pixels.
    func width(_ width: Int, of columns: Range<Int>) -> JSON {
        dimension("COLUMNS", columns, ["pixelSize": JSON(width)], fields: "pixelSize")
    }

    /// Hides or shows the columns that ask for that, and puts their notes on their headings; what they do not name stays.
    ///
    /// - Parameter headerRow: The row of the headings; nil where there are none.
    func settings(of columns: [Column], at places: [Int], headerRow: Int?) -> [JSON] {
        let placed = zip(places, columns).sorted { $0.0 < $1.0 }
        var requests: [JSON] = []
        for (range, column) in neighbours(placed.filter { $0.1.isHidden != nil }, alikeBy: \.isHidden) {
            requests.append([
                "updateDimensionProperties": [
                    "range": [
                        "sheetId": JSON(id), "dimension": "COLUMNS", "startIndex": JSON(range.lowerBound),
                        "endIndex": JSON(range.upperBound),
                    ],
                    "properties": ["hiddenByUser": .bool(column.isHidden == true)], "fields": "hiddenByUser",
                ]
            ])
        }
        guard let headerRow else { return requests }
        for (range, column) in neighbours(placed.filter { $0.1.note != nil }, alikeBy: \.note) {
            requests.append([
                "repeatCell": [
                    "range": self.range(rows: headerRow..<headerRow + 1, columns: range),
                    "cell": ["note": .string(column.note ?? "")], "fields": "note",
                ]
            ])
        }
        return requests
    }

    /// Columns at places that follow each other and are alike, as the range of their places and the first of them.
    private func neighbours(
        _ placed: [(place: Int, column: Column)], alikeBy key: (Column) -> some Equatable
    ) -> [(range: Range<Int>, first: Column)] {
        var runs: [(range: Range<Int>, first: Column)] = []
        for (place, column) in placed {
            if let last = runs.last, last.range.upperBound == place, key(last.first) == key(column) {
                runs[runs.count - 1].range = last.range.lowerBound..<place + 1
            } else {
                runs.append((place..<place + 1, column))
            }
        }
        return runs
    }

    /// Neighbours with the same key, as the range of their indices and the first of them.
    func runs<Element>(
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

import JSON
import SheetModel

/// A spreadsheet that applies the requests of plans as Sheets does, and refuses what Sheets refuses.
struct PlannedSpreadsheet: Equatable {
    struct Tab: Equatable {
        var id: Int
        var title: String
        var rows: Int
        var columns: Int
        var frozenRows = 0
        var bandings: [Int: JSON] = [:]
        var cells: [[Cell]]
        /// What `repeatCell` set, by row (0 header, 1 data) and column: later requests over earlier ones.
        var formats: [Int: [Int: JSONObject]] = [:]
        var widths: [Int: Int] = [:]
        var filter: JSON?
    }
    struct Refusal: Error { let reason: String }

    var locale = "en_US"
    var timeZone = "Etc/GMT"
    var tabs = [Tab(id: 0, title: "Sheet1", rows: 1_000, columns: 26, cells: [])]

    init() { tabs[0].cells = Self.grid(1_000, 26) }

    var existing: [ExistingSheet] {
        tabs.map {
            ExistingSheet(
                id: $0.id, title: $0.title, rows: $0.rows, columns: $0.columns, bandingIDs: Array($0.bandings.keys))
        }
    }

    private static func grid(_ rows: Int, _ columns: Int) -> [[Cell]] {
        Array(repeating: Array(repeating: Cell(.empty), count: columns), count: rows)
    }

    /// Applies a body whole or not at all.
    mutating func apply(_ body: [UInt8]) throws {
        var next = self
        let json = try JSON(parsing: body)
        if json["data"] != nil {
            try next.enter(json)
            self = next
            return
        }
        let requests = json["requests"]?.array ?? []
        guard !requests.isEmpty else { throw Refusal(reason: "Must specify at least one request.") }
        for request in requests {
            guard let object = request.object, object.count == 1, let member = object.first else {
                throw Refusal(reason: "a request must set one kind: \(request)")
            }
            try next.apply(member.name, member.value)
        }
        self = next
    }

    private func tab(_ id: JSON?) throws -> Int {
        guard let id = id?.int, let index = tabs.firstIndex(where: { $0.id == id }) else {
            throw Refusal(reason: "No grid with id: \(id ?? nil)")
        }
        return index
    }

    private func check(_ condition: Bool, _ reason: @autoclosure () -> String) throws {
        if !condition { throw Refusal(reason: reason()) }
    }

    private mutating func apply(_ kind: String, _ request: JSON) throws {
        switch kind {
        case "updateSpreadsheetProperties":
            let names = request["properties"]?.object?.names ?? []
            try check(!names.isEmpty && request["fields"]?.string == names.joined(separator: ","), "fields")
            locale = request["properties"]?["locale"]?.string ?? locale
            timeZone = request["properties"]?["timeZone"]?.string ?? timeZone
        case "addSheet":
            let id = request["properties"]?["sheetId"]?.int ?? -1
            try check(!tabs.contains { $0.id == id }, "A sheet with id \(id) already exists")
            tabs.append(Tab(id: id, title: "", rows: 0, columns: 0, cells: []))
            try setProperties(of: tabs.count - 1, request["properties"])
        case "updateSheetProperties":
            let index = try tab(request["properties"]?["sheetId"])
            switch request["fields"] {
            case "title,gridProperties(rowCount,columnCount,frozenRowCount,frozenColumnCount)":
                try setProperties(of: index, request["properties"])
            case "gridProperties(rowCount,columnCount)":
                var properties = request["properties"]?.object ?? JSONObject()
                properties["title"] = .string(tabs[index].title)
                var grid = properties["gridProperties"]?.object ?? JSONObject()
                grid["frozenRowCount"] = JSON(tabs[index].frozenRows)
                properties["gridProperties"] = .object(grid)
                try setProperties(of: index, .object(properties))
            case "rightToLeft,tabColorStyle,gridProperties(hideGridlines,rowGroupControlAfter,columnGroupControlAfter)":
                break
            case "gridProperties.frozenRowCount":
                tabs[index].frozenRows = request["properties"]?["gridProperties"]?["frozenRowCount"]?.int ?? -1
                try check(tabs[index].frozenRows < tabs[index].rows, "You can't freeze all visible rows on the sheet.")
            default: throw Refusal(reason: "fields \(request)")
            }
        case "unmergeCells": _ = try tab(request["range"]?["sheetId"])
        case "clearBasicFilter": tabs[try tab(request["sheetId"])].filter = nil
        case "setBasicFilter":
            let range = request["filter"]?["range"]
            let index = try tab(range?["sheetId"])
            try checkRange(range, in: index)
            tabs[index].filter = range
        case "deleteBanding":
            let id = request["bandedRangeId"]?.int ?? -1
            guard let index = tabs.firstIndex(where: { $0.bandings[id] != nil }) else {
                throw Refusal(reason: "No banding with id: \(id)")
            }
            tabs[index].bandings[id] = nil
        case "addBanding":
            let banding = request["bandedRange"]
            let range = banding?["range"]
            let index = try tab(range?["sheetId"])
            try checkRange(range, in: index)
            try check(banding?["bandedRangeId"] == nil, "the id is Google's to choose")
            let id = tabs[index].id + 1
            try check(tabs[index].bandings.isEmpty, "You cannot add alternating colours that overlap")
            tabs[index].bandings[id] = banding?["rowProperties"]
        case "repeatCell": try repeatCell(request)
        case "autoResizeDimensions": _ = try tab(request["dimensions"]?["sheetId"])
        case "updateDimensionProperties" where request["fields"] == "hiddenByUser": break
        case "updateDimensionProperties" where request["fields"] == "hiddenByUser,pixelSize":
            tabs[try tab(request["range"]?["sheetId"])].widths = [:]
        case "updateDimensionProperties":
            try check(request["fields"] == "pixelSize" && request["range"]?["dimension"] == "COLUMNS", "fields")
            let index = try tab(request["range"]?["sheetId"])
            let start = request["range"]?["startIndex"]?.int ?? -1
            let end = request["range"]?["endIndex"]?.int ?? -1
            try check(start >= 0 && end > start && end <= tabs[index].columns, "dimension range")
            for column in start..<end { tabs[index].widths[column] = request["properties"]?["pixelSize"]?.int }
        case "updateCells": try updateCells(request)
        default: throw Refusal(reason: "unknown request \(kind)")
        }
    }

    private mutating func setProperties(of index: Int, _ properties: JSON?) throws {
        let grid = properties?["gridProperties"]
        let title = properties?["title"]?.string ?? ""
        guard let rows = grid?["rowCount"]?.int, let columns = grid?["columnCount"]?.int,
            let frozen = grid?["frozenRowCount"]?.int
        else { throw Refusal(reason: "properties are missing") }
        try check(rows > 0 && columns > 0, "a sheet needs a cell")
        try check(frozen < rows, "You can't freeze all visible rows on the sheet.")
        try check(
            !tabs.enumerated().contains { $0.offset != index && $0.element.title.lowercased() == title.lowercased() },
            "A sheet with the name \(title) already exists.")
        tabs[index].title = title
        tabs[index].frozenRows = frozen
        tabs[index].rows = rows
        tabs[index].columns = columns
        var cells = Self.grid(rows, columns)
        for (row, old) in tabs[index].cells.prefix(rows).enumerated() {
            for (column, cell) in old.prefix(columns).enumerated() { cells[row][column] = cell }
        }
        tabs[index].cells = cells
        try check(tabs.reduce(0) { $0 + $1.rows * $1.columns } <= 10_000_000, "above the limit of 10000000 cells")
    }

    private func checkRange(_ range: JSON?, in index: Int) throws {
        let rows = (range?["startRowIndex"]?.int ?? -1, range?["endRowIndex"]?.int ?? -1)
        let columns = (range?["startColumnIndex"]?.int ?? -1, range?["endColumnIndex"]?.int ?? -1)
        try check(
            rows.0 >= 0 && rows.1 > rows.0 && rows.1 <= tabs[index].rows && columns.0 >= 0 && columns.1 > columns.0
                && columns.1 <= tabs[index].columns, "exceeds grid limits: \(range ?? nil)")
    }

    private mutating func repeatCell(_ request: JSON) throws {
        let range = request["range"]
        let index = try tab(range?["sheetId"])
        try checkRange(range, in: index)
        let format = request["cell"]?["userEnteredFormat"]?.object ?? JSONObject()
        let names: [String]
        let textFormat =
            "textFormat(foregroundColor,foregroundColorStyle,fontFamily,fontSize,bold,italic,strikethrough,underline)"
        switch (request["fields"]?.string).map({ $0.replacing(textFormat, with: "textFormat") }) {
        case "userEnteredFormat": names = []
        case "userEnteredFormat.horizontalAlignment": names = ["horizontalAlignment"]
        case "userEnteredFormat.numberFormat": names = ["numberFormat"]
        case let fields?:
            names = fields.dropFirst("userEnteredFormat(".count).dropLast().split(separator: ",").map(String.init)
            try check(format.names.allSatisfy(names.contains), "fields \(fields)")
        case nil: throw Refusal(reason: "fields are missing")
        }
        let band = range?["startRowIndex"]?.int == 0 && tabs[index].frozenRows == 1 ? 0 : 1
        for column in (range?["startColumnIndex"]?.int ?? 0)..<(range?["endColumnIndex"]?.int ?? 0) {
            if names.isEmpty { tabs[index].formats[band, default: [:]][column] = format }
            for name in names {
                tabs[index].formats[band, default: [:]][column, default: JSONObject()][name] = format[name]
            }
        }
    }

    /// Takes away the values of a range.
    private mutating func clear(_ range: JSON) throws {
        let index = try tab(range["sheetId"])
        let rows = (range["startRowIndex"]?.int ?? 0)..<(range["endRowIndex"]?.int ?? tabs[index].rows)
        let columns = (range["startColumnIndex"]?.int ?? 0)..<(range["endColumnIndex"]?.int ?? tabs[index].columns)
        try check(
            rows.upperBound <= tabs[index].rows && columns.upperBound <= tabs[index].columns, "exceeds grid limits")
        for row in rows { for column in columns { tabs[index].cells[row][column].value = .empty } }
    }

    private mutating func updateCells(_ request: JSON) throws {
        if let range = request["range"] {
            try check(
                ["userEnteredValue,userEnteredFormat.textFormat.link,textFormatRuns", "*"].contains(
                    request["fields"]?.string ?? "") && request["rows"] == nil, "fields")
            if request["fields"] == "*" { tabs[try tab(range["sheetId"])].formats = [:] }
            return try clear(range)
        }
        let index = try tab(request["start"]?["sheetId"])
        guard let first = request["start"]?["rowIndex"]?.int, request["start"]?["columnIndex"] == 0,
            let rows = request["rows"]?.array, let fields = request["fields"]?.string
        else { throw Refusal(reason: "start, rows and fields are needed") }
        for (offset, row) in rows.enumerated() {
            let values = row["values"]?.array ?? []
            try check(first + offset < tabs[index].rows && values.count <= tabs[index].columns, "exceeds grid limits")
            for (column, value) in values.enumerated() {
                let link = value["userEnteredFormat"]?["textFormat"]?["link"]?["uri"]?.string
                try check(
                    fields == "userEnteredValue"
                        ? value["userEnteredFormat"] == nil
                        : fields == "userEnteredValue,userEnteredFormat.textFormat.link", "fields \(fields)")
                tabs[index].cells[first + offset][column] = Cell(try Self.value(value["userEnteredValue"]), link: link)
            }
        }
    }

    /// Enters values as `values.batchUpdateByDataFilter` does: null leaves a cell as it is, no text is read.
    private mutating func enter(_ json: JSON) throws {
        try check(json["valueInputOption"] == "RAW", "valueInputOption")
        for data in json["data"]?.array ?? [] {
            let range = data["dataFilter"]?["gridRange"]
            let index = try tab(range?["sheetId"])
            try checkRange(range, in: index)
            try check(data["majorDimension"] == "ROWS", "majorDimension")
            let first = range?["startRowIndex"]?.int ?? 0
            let rows = data["values"]?.array ?? []
            try check(rows.count == (range?["endRowIndex"]?.int ?? 0) - first, "rows of the range")
            for (offset, row) in rows.enumerated() {
                let values = row.array ?? []
                try check(values.count <= (range?["endColumnIndex"]?.int ?? 0), "columns of the range")
                for (column, value) in values.enumerated() {
                    switch value {
                    case .null: continue
                    case .string(let text): tabs[index].cells[first + offset][column].value = .text(text)
                    case .number(let number): tabs[index].cells[first + offset][column].value = .number(number.double)
                    case .bool(let truth): tabs[index].cells[first + offset][column].value = .boolean(truth)
                    case .array, .text, .object: throw Refusal(reason: "Invalid values[\(offset)][\(column)]")
                    }
                }
            }
        }
    }

    private static func value(_ json: JSON?) throws -> CellValue {
        guard let json else { return .empty }
        guard let object = json.object, object.count == 1, let member = object.first else {
            throw Refusal(reason: "one value a cell: \(json)")
        }
        switch (member.name, member.value) {
        case ("stringValue", .string(let text)): return .text(text)
        case ("numberValue", .number(let number)): return .number(number.double)
        case ("boolValue", .bool(let truth)): return .boolean(truth)
        case ("formulaValue", .string(let formula)): return .formula(formula)
        default: throw Refusal(reason: "no value of Sheets: \(json)")
        }
    }
}

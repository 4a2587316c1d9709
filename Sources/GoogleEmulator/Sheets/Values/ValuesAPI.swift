import JSON

/// The methods of Sheets v4 below `spreadsheets.values`.
enum ValuesAPI {
    /// `get` and the two batch forms.
    static func read(_ call: APICall, _ spreadsheet: Spreadsheet) throws(GoogleError) -> JSON {
        let reader = CellReader(spreadsheet)
        let options = ValueRange.Options(
            rendering: call.option("valueRenderOption"), dates: call.option("dateTimeRenderOption"),
            dimension: call.option("majorDimension"))
        func values(_ range: GridRange, _ index: Int) -> JSON {
            ValueRange(reader, sheet: index, range: range, options: options).json
        }
        if call.method.id == "sheets.spreadsheets.values.get" {
            let (range, index) = try SheetsAPI.range(call.variable("range"), spreadsheet)
            return values(range, index)
        }
        var answer = JSONObject()
        answer["spreadsheetId"] = .string(spreadsheet.id)
        var list: [JSON] = []
        if call.method.id == "sheets.spreadsheets.values.batchGet" {
            for text in call.query.all("ranges") {
                let (range, index) = try SheetsAPI.range(text, spreadsheet)
                list.append(values(range, index))
            }
        } else {
            for (filters, range) in try matches(call.body["dataFilters"]?.array ?? [], "dataFilters", spreadsheet) {
                let index = try SheetsAPI.sheet(of: range, spreadsheet)
                list.append(["valueRange": values(range, index), "dataFilters": .array(filters)])
            }
        }
        if !list.isEmpty { answer["valueRanges"] = .array(list) }
        return .object(answer)
    }

    /// The ranges that filters select, each with all filters that select it.
    static func matches(
        _ filters: [JSON], _ field: String, _ spreadsheet: Spreadsheet
    ) throws(GoogleError) -> [(filters: [JSON], range: GridRange)] {
        var result: [(filters: [JSON], range: GridRange)] = []
        for (index, filter) in filters.enumerated() {
            let ranges = try SheetsAPI.translating("Invalid \(field)[\(index)]: ") { () throws(RequestError) in
                try DataFilter.ranges(filter, in: spreadsheet)
            }
            for range in ranges {
                if let known = result.firstIndex(where: { $0.range == range }) {
                    result[known].filters.append(filter)
                } else {
                    result.append(([filter], range))
                }
            }
        }
        return result
    }

    /// `update`.
    static func update(_ call: APICall, _ spreadsheet: inout Spreadsheet) throws(GoogleError) -> JSON {
        let text = call.variable("range")
        let (range, _) = try SheetsAPI.range(text, spreadsheet)
        if let own = call.body["range"]?.string {
            guard A1.range(own, in: spreadsheet) == range else {
                throw GoogleError(
                    code: 400, message: "Requested range [\(text)] does not match value range [\(own)].")
            }
        }
        let update = try SheetsAPI.translating { () throws(RequestError) in
            try ValueWriter(inputOption: call.option("valueInputOption"))
                .write(ValueWriter.rows(call.body), to: range, in: &spreadsheet)
        }
        return .object(result(update, spreadsheet, call))
    }

    /// `batchUpdate` and its form with data filters.
    static func batchUpdate(_ call: APICall, _ spreadsheet: inout Spreadsheet) throws(GoogleError) -> JSON {
        var updates: [(update: ValueWriter.Update, filter: JSON?)] = []
        let writer = try SheetsAPI.translating { () throws(RequestError) in
            try ValueWriter(inputOption: call.option("valueInputOption"))
        }
        for (index, data) in (call.body["data"]?.array ?? []).enumerated() {
            try SheetsAPI.translating("Invalid data[\(index)]: ") { () throws(RequestError) in
                let ranges: [GridRange]
                if let filter = data["dataFilter"] {
                    ranges = try DataFilter.ranges(filter, in: spreadsheet)
                } else {
                    let text = data["range"]?.string ?? ""
                    guard let range = A1.range(text, in: spreadsheet) else {
                        throw RequestError("Unable to parse range: \(text)")
                    }
                    ranges = [range]
                }
                for range in ranges {
                    updates.append(
                        (try writer.write(ValueWriter.rows(data), to: range, in: &spreadsheet), data["dataFilter"]))
                }
            }
        }
        var answer = JSONObject()
        answer["spreadsheetId"] = .string(spreadsheet.id)
        func total(_ name: String, _ sum: Int) { if sum > 0 { answer[name] = JSON(sum) } }
        total("totalUpdatedRows", updates.reduce(0) { $0 + $1.update.rows })
        total("totalUpdatedColumns", updates.reduce(0) { $0 + $1.update.columns })
        total("totalUpdatedCells", updates.reduce(0) { $0 + $1.update.cells })
        let sheets = Set(updates.filter { $0.update.cells > 0 }.map(\.update.sheet)).count
        total("totalUpdatedSheets", sheets)
        let responses = updates.map { update -> JSON in
            var object = result(update.update, spreadsheet, call)
            if let filter = update.filter {
                object["spreadsheetId"] = nil
                object["dataFilter"] = filter
            }
            return .object(object)
        }
        if !responses.isEmpty { answer["responses"] = .array(responses) }
        return .object(answer)
    }

    /// `append`: writes below the table that the range touches, or from the range's first cell on.
    static func append(_ call: APICall, _ spreadsheet: inout Spreadsheet) throws(GoogleError) -> JSON {
        let (range, index) = try SheetsAPI.range(call.variable("range"), spreadsheet)
        let rows = ValueWriter.rows(call.body)
        let sheet = spreadsheet.sheets[index]
        let table = TableFinder(sheet.grid).table(in: range)
        let top = table?.rows.upperBound ?? range.startRow ?? 0
        let left = table?.columns.lowerBound ?? range.startColumn ?? 0
        let width = rows.reduce(1) { max($0, $1.count) }
        if call.option("insertDataOption") == "INSERT_ROWS", !rows.isEmpty, table != nil {
            spreadsheet.apply(
                DimensionShift(isRows: true, kind: .insert(min(top, sheet.grid.rowCount), count: rows.count)),
                toSheet: index)
        }
        let grid = spreadsheet.sheets[index].grid
        spreadsheet.sheets[index].grid.resize(
            rowCount: max(grid.rowCount, top + max(rows.count, 1)), columnCount: max(grid.columnCount, left + width))
        let place = GridRange(
            sheetID: sheet.id, rows: top..<top + max(rows.count, 1), columns: left..<left + width)
        let update = try SheetsAPI.translating { () throws(RequestError) in
            try BatchUpdate.checkSize(of: spreadsheet)
            return try ValueWriter(inputOption: call.option("valueInputOption")).write(
                rows, to: place, in: &spreadsheet)
        }
        var answer = JSONObject()
        answer["spreadsheetId"] = .string(spreadsheet.id)
        if let table {
            answer["tableRange"] = .string(
                A1.text(GridRange(sheetID: sheet.id, rows: table.rows, columns: table.columns), title: sheet.title))
        }
        answer["updates"] = .object(result(update, spreadsheet, call))
        return .object(answer)
    }

    /// `clear` and the two batch forms: takes values away, not formats.
    static func clear(_ call: APICall, _ spreadsheet: inout Spreadsheet) throws(GoogleError) -> JSON {
        var ranges: [GridRange] = []
        switch call.method.id {
        case "sheets.spreadsheets.values.clear":
            ranges = [try SheetsAPI.range(call.variable("range"), spreadsheet).range]
        case "sheets.spreadsheets.values.batchClear":
            for text in call.body["ranges"]?.array ?? [] {
                ranges.append(try SheetsAPI.range(text.string ?? "", spreadsheet).range)
            }
        default:
            ranges = try matches(call.body["dataFilters"]?.array ?? [], "dataFilters", spreadsheet).map(\.range)
        }
        var cleared: [JSON] = []
        for range in ranges {
            let index = try SheetsAPI.sheet(of: range, spreadsheet)
            spreadsheet.sheets[index].grid.clearValues(range)
            let sheet = spreadsheet.sheets[index]
            cleared.append(.string(A1.text(range.bounded(by: sheet.grid), title: sheet.title)))
        }
        var answer = JSONObject()
        answer["spreadsheetId"] = .string(spreadsheet.id)
        if call.method.id == "sheets.spreadsheets.values.clear" {
            answer["clearedRange"] = cleared.first
        } else if !cleared.isEmpty {
            answer["clearedRanges"] = .array(cleared)
        }
        return .object(answer)
    }

    /// Google's `UpdateValuesResponse`; what is zero is left out.
    private static func result(
        _ update: ValueWriter.Update, _ spreadsheet: Spreadsheet, _ call: APICall
    ) -> JSONObject {
        var object = JSONObject()
        object["spreadsheetId"] = .string(spreadsheet.id)
        object["updatedRange"] = .string(A1.text(update.range, title: spreadsheet.sheets[update.sheet].title))
        if update.rows > 0 { object["updatedRows"] = JSON(update.rows) }
        if update.columns > 0 { object["updatedColumns"] = JSON(update.columns) }
        if update.cells > 0 { object["updatedCells"] = JSON(update.cells) }
        if call.option("includeValuesInResponse")?.lowercased() == "true" {
            let options = ValueRange.Options(
                rendering: call.option("responseValueRenderOption"),
                dates: call.option("responseDateTimeRenderOption"), dimension: nil)
            object["updatedData"] =
                ValueRange(CellReader(spreadsheet), sheet: update.sheet, range: update.range, options: options).json
        }
        return object
    }
}

extension APICall {
    /// A parameter of the query, or a field of the body where a method takes it there.
    func option(_ name: String) -> String? {
        if let value = query[name] { return value }
        if let flag = body[name]?.bool { return flag ? "true" : "false" }
        return body[name]?.string
    }
}

extension Grid {
    /// Takes the values of a range away.
    mutating func clearValues(_ range: GridRange) {
        let columns = range.columns(in: self)
        let rows = range.rows(in: self)
        for row in rows.lowerBound..<max(rows.lowerBound, min(rows.upperBound, usedRowCount)) where !self[row].isBlank {
            update(row: row) { row in
                for column in columns.lowerBound..<max(columns.lowerBound, min(columns.upperBound, row.cells.count)) {
                    row[column].value = .empty
                }
            }
        }
    }
}

import JSON

/// The requests about a spreadsheet and its sheets as a whole.
enum SheetRequests {
    private static let greatestTitleLength = 100

    @Sendable static func updateSpreadsheetProperties(
        _ request: JSON, _ spreadsheet: inout Spreadsheet
    ) throws(RequestError) -> JSON {
        let fields = try BatchUpdate.fields(request, of: "SpreadsheetProperties")
        var properties = spreadsheet.properties
        properties["title"] = .string(spreadsheet.title)
        properties["locale"] = .string(spreadsheet.locale)
        properties["timeZone"] = .string(spreadsheet.timeZone)
        fields.merge(request["properties"]?.object ?? JSONObject(), into: &properties)
        guard let title = properties["title"]?.string, !title.isEmpty else {
            throw RequestError("The title of the spreadsheet must not be empty.")
        }
        let locale = properties["locale"]?.string ?? "en_US"
        // Languages and countries; the regions that numbers stand for are none of Sheets' locales.
        guard !locale.utf8.contains(where: { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            throw RequestError("Unsupported locale: \(locale)")
        }
        spreadsheet.rename(title)
        spreadsheet.locale = locale
        spreadsheet.timeZone = properties["timeZone"]?.string ?? "Etc/GMT"
        for name in ["title", "locale", "timeZone"] { properties[name] = nil }
        spreadsheet.properties = properties
        return [:]
    }

    @Sendable static func addSheet(_ request: JSON, _ spreadsheet: inout Spreadsheet) throws(RequestError) -> JSON {
        let properties = request["properties"]?.object ?? JSONObject()
        let id = properties["sheetId"]?.int ?? freeID(in: spreadsheet)
        guard id >= 0 else { throw RequestError("Invalid sheet id: \(id)") }
        guard spreadsheet.index(ofSheet: id) == nil else {
            throw RequestError("A sheet with the id \(id) already exists.")
        }
        var sheet = Sheet(
            id: id, title: properties["title"]?.string ?? freeTitle(in: spreadsheet),
            grid: Grid(rowCount: 1000, columnCount: 26))
        try checkTitle(sheet.title, of: id, in: spreadsheet)
        var completed = properties
        let grid = properties["gridProperties"]?.object ?? JSONObject()
        var gridProperties = grid
        gridProperties["rowCount"] = grid["rowCount"] ?? 1000
        gridProperties["columnCount"] = grid["columnCount"] ?? 26
        completed["gridProperties"] = .object(gridProperties)
        try set(ColorPairs.complete(completed), on: &sheet)
        let index = properties["index"]?.int ?? spreadsheet.sheets.count
        guard (0...spreadsheet.sheets.count).contains(index) else {
            throw RequestError("Invalid sheet index: \(index)")
        }
        spreadsheet.sheets.insert(sheet, at: index)
        return ["addSheet": ["properties": sheet.propertiesJSON(index: index)]]
    }

    @Sendable static func deleteSheet(_ request: JSON, _ spreadsheet: inout Spreadsheet) throws(RequestError) -> JSON {
        let index = try spreadsheet.sheet(request["sheetId"]?.int ?? 0)
        let sheet = spreadsheet.sheets.remove(at: index)
        guard spreadsheet.sheets.contains(where: { !$0.isHidden }) else {
            throw RequestError("You can't remove all the sheets in a document.")
        }
        spreadsheet.developerMetadata.removeAll { $0.location.sheetID == sheet.id }
        spreadsheet.namedRanges.removeAll { named in
            named["range"].flatMap { try? GridRange($0) }?.sheetID == sheet.id
        }
        return [:]
    }

    @Sendable static func updateSheetProperties(
        _ request: JSON, _ spreadsheet: inout Spreadsheet
    ) throws(RequestError) -> JSON {
        let fields = ColorPairs.complete(try BatchUpdate.fields(request, of: "SheetProperties"))
        let new = ColorPairs.complete(request["properties"]?.object ?? JSONObject())
        let index = try spreadsheet.sheet(new["sheetId"]?.int ?? 0)
        var sheet = spreadsheet.sheets[index]
        var properties = sheet.propertiesJSON(index: index).object ?? JSONObject()
        fields.merge(new, into: &properties)
        guard let title = properties["title"]?.string else { throw RequestError("The sheet name cannot be empty.") }
        try checkTitle(title, of: sheet.id, in: spreadsheet)
        sheet.title = title
        let (rows, columns) = (sheet.grid.rowCount, sheet.grid.columnCount)
        try set(properties, on: &sheet)
        spreadsheet.sheets[index] = sheet
        // A smaller grid is one of which rows or columns were deleted.
        if sheet.grid.rowCount < rows {
            spreadsheet.follow(
                DimensionShift(isRows: true, kind: .delete(sheet.grid.rowCount..<rows)), ofSheet: index)
        }
        if sheet.grid.columnCount < columns {
            spreadsheet.follow(
                DimensionShift(isRows: false, kind: .delete(sheet.grid.columnCount..<columns)), ofSheet: index)
        }
        sheet = spreadsheet.sheets[index]
        guard spreadsheet.sheets.contains(where: { !$0.isHidden }) else {
            throw RequestError("You can't hide all the sheets in a document.")
        }
        if fields["index"] != nil, let target = new["index"]?.int, target != index {
            guard (0...spreadsheet.sheets.count).contains(target) else {
                throw RequestError("Invalid sheet index: \(target)")
            }
            spreadsheet.sheets.remove(at: index)
            // The new place counts as if the sheet still stood at the old one.
            spreadsheet.sheets.insert(sheet, at: target > index ? target - 1 : target)
        }
        return [:]
    }

    @Sendable static func duplicateSheet(_ request: JSON, _ spreadsheet: inout Spreadsheet) throws(RequestError) -> JSON
    {
        let source = try spreadsheet.sheet(request["sourceSheetId"]?.int ?? 0)
        let index = request["insertSheetIndex"]?.int ?? 0
        guard (0...spreadsheet.sheets.count).contains(index) else {
            throw RequestError("Invalid sheet index: \(index)")
        }
        let id = request["newSheetId"]?.int
        if let id {
            guard spreadsheet.index(ofSheet: id) == nil else {
                throw RequestError("A sheet with the id \(id) already exists.")
            }
        }
        let title = request["newSheetName"]?.string
        if let title { try checkTitle(title, of: -1, in: spreadsheet) }
        let properties = spreadsheet.add(
            spreadsheet.sheets[source], of: spreadsheet, id: id, title: title, at: index)
        return ["duplicateSheet": ["properties": properties]]
    }

    /// Brings Google's `SheetProperties` into a sheet, but for title and index.
    private static func set(_ properties: JSONObject, on sheet: inout Sheet) throws(RequestError) {
        var grid = properties["gridProperties"]?.object ?? JSONObject()
        let rowCount = grid["rowCount"]?.int ?? 0
        let columnCount = grid["columnCount"]?.int ?? 0
        guard rowCount > 0 else { throw RequestError("You can't delete all the rows on the sheet.") }
        guard columnCount > 0 else { throw RequestError("You can't delete all the columns on the sheet.") }
        guard columnCount <= 18_278 else {
            throw RequestError(
                "This action would increase the number of columns in the sheet above the limit of 18278 columns.")
        }
        guard grid["frozenRowCount"]?.int ?? 0 < rowCount else {
            throw RequestError("You can't freeze all visible rows on the sheet.")
        }
        guard grid["frozenColumnCount"]?.int ?? 0 < columnCount else {
            throw RequestError("You can't freeze all visible columns on the sheet.")
        }
        grid["rowCount"] = nil
        grid["columnCount"] = nil
        sheet.gridProperties = withoutDefaults(grid)
        var rest = properties
        for name in ["sheetId", "title", "index", "sheetType", "gridProperties", "dataSourceSheetProperties"] {
            rest[name] = nil
        }
        sheet.properties = withoutDefaults(rest)
        sheet.grid.resize(rowCount: rowCount, columnCount: columnCount)
        sheet.clipToGrid()
    }

    /// Google does not write zeros and falsehoods.
    private static func withoutDefaults(_ object: JSONObject) -> JSONObject {
        JSONObject(object.filter { $0.value != false && $0.value.int != 0 })
    }

    private static func checkTitle(_ title: String, of id: Int, in spreadsheet: Spreadsheet) throws(RequestError) {
        guard !title.isEmpty else { throw RequestError("The sheet name cannot be empty.") }
        guard title.utf16.count <= greatestTitleLength else {
            throw RequestError("The sheet name cannot be greater than \(greatestTitleLength) characters.")
        }
        // Sheets tells titles apart without regard to case.
        let lowercased = title.lowercased()
        guard !spreadsheet.sheets.contains(where: { $0.id != id && $0.title.lowercased() == lowercased }) else {
            throw RequestError("A sheet with the name \"\(title)\" already exists. Please enter another name.")
        }
    }

    private static func freeTitle(in spreadsheet: Spreadsheet) -> String {
        var number = spreadsheet.sheets.count + 1
        while spreadsheet.sheets.contains(where: { $0.title == "Sheet\(number)" }) { number += 1 }
        return "Sheet\(number)"
    }

    /// A sheet id that is not taken.
    static func freeID(in spreadsheet: Spreadsheet) -> Int {
        while true {
            let id = Identifiers.number()
            if spreadsheet.index(ofSheet: id) == nil { return id }
        }
    }
}

import JSON

/// `spreadsheets.create`.
enum SpreadsheetCreation {
    /// Makes a spreadsheet at the top of the caller's drive, with the properties, sheets and cells of the body.
    static func create(_ call: APICall, _ world: inout World) throws(GoogleError) -> JSON {
        if call.token.isServiceAccount, !world.serviceAccountsOwnFiles {
            throw GoogleError(code: 403, message: "The caller does not have permission")
        }
        let id = Identifiers.file(isDocument: true)
        let title = call.body["properties"]?["title"]?.string ?? "Untitled spreadsheet"
        var spreadsheet = Spreadsheet(id: id, title: title)
        try SheetsAPI.translating { () throws(RequestError) in try fill(&spreadsheet, call.body) }
        let parent = world.drive.root(of: call.token.email, now: call.now)
        world.spreadsheets[id] = spreadsheet
        world.drive[id] = DriveFile(
            id: id, name: title, mimeType: DriveFile.spreadsheetType,
            parent: parent, createdTime: call.now, modifiedTime: call.now, driveID: nil, owner: call.token.email)
        return SheetsAPI.view(spreadsheet, call, world)
    }

    private static func fill(_ spreadsheet: inout Spreadsheet, _ body: JSON) throws(RequestError) {
        if let properties = body["properties"]?.object, !properties.isEmpty {
            let names = properties.names.filter { !["defaultFormat", "spreadsheetTheme"].contains($0) }
            _ = try SheetRequests.updateSpreadsheetProperties(
                ["properties": .object(properties), "fields": .string((names + ["title"]).joined(separator: ","))],
                &spreadsheet)
        }
        let sheets = body["sheets"]?.array ?? []
        if !sheets.isEmpty { spreadsheet.sheets = [] }
        for sheet in sheets { try add(sheet, to: &spreadsheet) }
        for named in body["namedRanges"]?.array ?? [] {
            _ = try NamedRangeRequests.addNamedRange(["namedRange": named], &spreadsheet)
        }
        for metadata in body["developerMetadata"]?.array ?? [] {
            _ = try MetadataRequests.createDeveloperMetadata(["developerMetadata": metadata], &spreadsheet)
        }
        try BatchUpdate.checkSize(of: spreadsheet)
    }

    private static func add(_ sheet: JSON, to spreadsheet: inout Spreadsheet) throws(RequestError) {
        var properties = sheet["properties"]?.object ?? JSONObject()
        if spreadsheet.sheets.isEmpty, properties["sheetId"] == nil { properties["sheetId"] = 0 }
        properties["index"] = nil
        _ = try SheetRequests.addSheet(["properties": .object(properties)], &spreadsheet)
        let id = JSON(spreadsheet.sheets[spreadsheet.sheets.count - 1].id)
        for data in sheet["data"]?.array ?? [] {
            if let rows = data["rowData"] {
                let start: JSON = [
                    "sheetId": id, "rowIndex": data["startRow"] ?? 0, "columnIndex": data["startColumn"] ?? 0,
                ]
                _ = try CellRequests.updateCells(
                    ["start": start, "fields": "*"], rows: CellInput.rows(rows), &spreadsheet)
            }
            for (dimension, field, first) in [
                ("ROWS", "rowMetadata", "startRow"), ("COLUMNS", "columnMetadata", "startColumn"),
            ] {
                for (offset, properties) in (data[field]?.array ?? []).enumerated() {
                    let index = (data[first]?.int ?? 0) + offset
                    let range: JSON = [
                        "sheetId": id, "dimension": .string(dimension), "startIndex": JSON(index),
                        "endIndex": JSON(index + 1),
                    ]
                    _ = try DimensionRequests.updateDimensionProperties(
                        ["range": range, "properties": properties, "fields": "pixelSize,hiddenByUser"], &spreadsheet)
                }
            }
        }
        try addRest(of: sheet, id: id, to: &spreadsheet)
    }

    /// What hangs on the cells: each is added as a request of a batch would.
    private static func addRest(of sheet: JSON, id: JSON, to spreadsheet: inout Spreadsheet) throws(RequestError) {
        func placed(_ value: JSON) -> JSON {
            guard var object = value.object else { return value }
            if var range = object["range"]?.object {
                range["sheetId"] = id
                object["range"] = .object(range)
            }
            if let ranges = object["ranges"]?.array {
                object["ranges"] = .array(
                    ranges.map { range in
                        var range = range.object ?? JSONObject()
                        range["sheetId"] = id
                        return .object(range)
                    })
            }
            return .object(object)
        }
        for range in sheet["merges"]?.array ?? [] {
            var range = range.object ?? JSONObject()
            range["sheetId"] = id
            _ = try MergeRequests.mergeCells(["range": .object(range), "mergeType": "MERGE_ALL"], &spreadsheet)
        }
        if let filter = sheet["basicFilter"] {
            _ = try FilterRequests.setBasicFilter(["filter": placed(filter)], &spreadsheet)
        }
        let lists: [(field: String, member: String, add: BatchUpdate.Kind)] = [
            ("bandedRanges", "bandedRange", BandingRequests.addBanding),
            ("protectedRanges", "protectedRange", ProtectedRangeRequests.addProtectedRange),
            ("conditionalFormats", "rule", ConditionalFormatRequests.addConditionalFormatRule),
            ("tables", "table", TableRequests.addTable),
            ("developerMetadata", "developerMetadata", MetadataRequests.createDeveloperMetadata),
        ]
        for list in lists {
            for value in sheet[list.field]?.array ?? [] {
                _ = try list.add(.object(JSONObject([.init(name: list.member, value: placed(value))])), &spreadsheet)
            }
        }
    }
}

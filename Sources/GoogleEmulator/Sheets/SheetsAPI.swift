import JSON

/// Sheets v4: the methods that the emulator plays.
enum SheetsAPI {
    /// Answers a call; nil for a method that the emulator does not play.
    static func respond(_ call: APICall, _ world: inout World) throws(GoogleError) -> EmulatorResponse? {
        let answer: JSON
        switch call.method.id {
        case "sheets.spreadsheets.get": answer = try get(call, world)
        case "sheets.spreadsheets.batchUpdate": answer = try batchUpdate(call, &world)
        case "sheets.spreadsheets.values.get": answer = try values(call, world)
        default: return nil
        }
        return .json(call.fields?.filter(answer) ?? answer)
    }

    /// The spreadsheet that a path names.
    private static func find(_ call: APICall, _ world: World) throws(GoogleError) -> Spreadsheet {
        let id = call.variable("spreadsheetId")
        guard let spreadsheet = world.spreadsheets[id] else {
            guard world.drive[id] == nil else {
                throw GoogleError(
                    code: 400, message: "This operation is not supported for this document",
                    status: "FAILED_PRECONDITION")
            }
            throw .entityNotFound
        }
        return spreadsheet
    }

    private static func get(_ call: APICall, _ world: World) throws(GoogleError) -> JSON {
        let spreadsheet = try find(call, world)
        // With a mask, the mask alone decides whether cells are shown.
        let showsCells =
            call.fields.map { !$0.selectsAll && $0.descend("sheets", "data") != nil }
            ?? call.query.flag("includeGridData")
        let view = SpreadsheetView(
            spreadsheet, baseURL: call.baseURL, ranges: try ranges(call.query.all("ranges"), spreadsheet),
            showsCells: showsCells || call.fields?.selectsAll == true && call.query.flag("includeGridData"))
        return view.json
    }

    private static func ranges(_ texts: [String], _ spreadsheet: Spreadsheet) throws(GoogleError) -> [GridRange]? {
        guard !texts.isEmpty else { return nil }
        var ranges: [GridRange] = []
        for text in texts { ranges.append(try range(text, spreadsheet).range) }
        return ranges
    }

    /// A range that the text names, and its sheet.
    private static func range(
        _ text: String, _ spreadsheet: Spreadsheet
    ) throws(GoogleError) -> (range: GridRange, sheet: Sheet) {
        guard let range = A1.range(text, in: spreadsheet), let index = spreadsheet.index(ofSheet: range.sheetID) else {
            throw GoogleError(code: 400, message: "Unable to parse range: \(text)")
        }
        do throws(RequestError) { try CellRequests.check(range, in: spreadsheet.sheets[index]) } catch {
            throw GoogleError(code: error.code, message: error.message)
        }
        return (range, spreadsheet.sheets[index])
    }

    private static func batchUpdate(_ call: APICall, _ world: inout World) throws(GoogleError) -> JSON {
        let old = try find(call, world)
        // The copy shares all that the batch leaves alone; if a request fails, it is simply dropped.
        var spreadsheet = old
        let replies = try BatchUpdate.apply(call.body["requests"]?.array ?? [], to: &spreadsheet)
        world.spreadsheets[spreadsheet.id] = spreadsheet
        world.drive[spreadsheet.id]?.modifiedTime = call.now
        world.drive[spreadsheet.id]?.version += 1
        world.drive[spreadsheet.id]?.name = spreadsheet.title
        var answer = JSONObject()
        answer["spreadsheetId"] = .string(spreadsheet.id)
        answer["replies"] = .array(replies)
        if call.body["includeSpreadsheetInResponse"]?.bool == true {
            let texts = call.body["responseRanges"]?.array?.compactMap(\.string) ?? []
            answer["updatedSpreadsheet"] =
                SpreadsheetView(
                    spreadsheet, baseURL: call.baseURL, ranges: try ranges(texts, spreadsheet),
                    showsCells: call.body["responseIncludeGridData"]?.bool == true
                ).json
        }
        return .object(answer)
    }

    private static func values(_ call: APICall, _ world: World) throws(GoogleError) -> JSON {
        let spreadsheet = try find(call, world)
        let (range, sheet) = try range(call.variable("range"), spreadsheet)
        return ValueRange(
            spreadsheet, sheet: sheet, range: range,
            rendering: ValueRange.Rendering(rawValue: call.query["valueRenderOption"] ?? "") ?? .formatted,
            dates: call.query["dateTimeRenderOption"] == "FORMATTED_STRING" ? .text : .serial,
            byColumns: call.query["majorDimension"] == "COLUMNS"
        ).json
    }
}

import JSON

/// Sheets v4: the methods that the emulator plays.
enum SheetsAPI {
    /// Answers a call; nil for a method that the emulator does not play.
    static func respond(_ call: APICall, _ world: inout World) throws(GoogleError) -> EmulatorResponse? {
        let answer: JSON
        switch call.method.id {
        case "sheets.spreadsheets.create": answer = try SpreadsheetCreation.create(call, &world)
        case "sheets.spreadsheets.get", "sheets.spreadsheets.getByDataFilter": answer = try get(call, world)
        case "sheets.spreadsheets.batchUpdate": answer = try batchUpdate(call, &world)
        case "sheets.spreadsheets.developerMetadata.get", "sheets.spreadsheets.developerMetadata.search":
            answer = try metadata(call, try find(call, world))
        case "sheets.spreadsheets.sheets.copyTo": answer = try copySheet(call, &world)
        case "sheets.spreadsheets.values.get", "sheets.spreadsheets.values.batchGet",
            "sheets.spreadsheets.values.batchGetByDataFilter":
            answer = try ValuesAPI.read(call, try find(call, world))
        case "sheets.spreadsheets.values.update": answer = try change(call, &world, ValuesAPI.update)
        case "sheets.spreadsheets.values.append": answer = try change(call, &world, ValuesAPI.append)
        case "sheets.spreadsheets.values.batchUpdate", "sheets.spreadsheets.values.batchUpdateByDataFilter":
            answer = try change(call, &world, ValuesAPI.batchUpdate)
        case "sheets.spreadsheets.values.clear", "sheets.spreadsheets.values.batchClear",
            "sheets.spreadsheets.values.batchClearByDataFilter":
            answer = try change(call, &world, ValuesAPI.clear)
        default: return nil
        }
        return .json(call.fields?.filter(answer) ?? answer)
    }

    /// The spreadsheet that a path names.
    private static func find(_ call: APICall, _ world: World) throws(GoogleError) -> Spreadsheet {
        try find(call.variable("spreadsheetId"), world)
    }

    private static func find(_ id: String, _ world: World) throws(GoogleError) -> Spreadsheet {
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

    /// Lets a call change a copy, which takes the place of the spreadsheet once all has gone well.
    ///
    /// The copy shares all that the call leaves alone.
    private static func change(
        _ call: APICall, _ world: inout World,
        _ change: (APICall, inout Spreadsheet) throws(GoogleError) -> JSON
    ) throws(GoogleError) -> JSON {
        var spreadsheet = try find(call, world)
        let answer = try change(call, &spreadsheet)
        keep(spreadsheet, call, &world)
        return answer
    }

    private static func keep(_ spreadsheet: Spreadsheet, _ call: APICall, _ world: inout World) {
        world.spreadsheets[spreadsheet.id] = spreadsheet
        world.drive[spreadsheet.id]?.modifiedTime = call.now
        world.drive[spreadsheet.id]?.version += 1
        world.drive[spreadsheet.id]?.name = spreadsheet.title
    }

    private static func get(_ call: APICall, _ world: World) throws(GoogleError) -> JSON {
        let spreadsheet = try find(call, world)
        // With a mask, the mask alone decides whether cells are shown.
        let asksForCells = call.option("includeGridData")?.lowercased() == "true"
        let showsCells =
            call.fields.map { $0.selectsAll ? asksForCells : $0.descend("sheets", "data") != nil } ?? asksForCells
        var shown = try ranges(call.query.all("ranges"), spreadsheet)
        if let filters = call.body["dataFilters"]?.array, !filters.isEmpty {
            shown = try ValuesAPI.matches(filters, "dataFilters", spreadsheet).map(\.range)
        }
        return view(spreadsheet, call, world, ranges: shown, showsCells: showsCells)
    }

    /// A spreadsheet as the API shows it.
    static func view(
        _ spreadsheet: Spreadsheet, _ call: APICall, _ world: World, ranges: [GridRange]? = nil,
        showsCells: Bool = false
    ) -> JSON {
        SpreadsheetView(
            spreadsheet, baseURL: call.baseURL, ranges: ranges, showsCells: showsCells,
            owner: world.drive[spreadsheet.id]?.owner
        ).json
    }

    private static func ranges(_ texts: [String], _ spreadsheet: Spreadsheet) throws(GoogleError) -> [GridRange]? {
        guard !texts.isEmpty else { return nil }
        var ranges: [GridRange] = []
        for text in texts { ranges.append(try range(text, spreadsheet).range) }
        return ranges
    }

    /// A range that the text names, and the place of its sheet.
    static func range(
        _ text: String, _ spreadsheet: Spreadsheet
    ) throws(GoogleError) -> (range: GridRange, sheet: Int) {
        guard let range = A1.range(text, in: spreadsheet) else {
            throw GoogleError(code: 400, message: "Unable to parse range: \(text)")
        }
        return (range, try sheet(of: range, spreadsheet))
    }

    /// The place of a range's sheet, in whose grid it begins.
    static func sheet(of range: GridRange, _ spreadsheet: Spreadsheet) throws(GoogleError) -> Int {
        try translating { () throws(RequestError) in
            let index = try spreadsheet.grid(range.sheetID)
            try CellRequests.check(range, in: spreadsheet.sheets[index])
            return index
        }
    }

    /// Makes the error of a request that of a call.
    static func translating<Result>(
        _ prefix: String = "", _ body: () throws(RequestError) -> Result
    ) throws(GoogleError) -> Result {
        do { return try body() } catch { throw GoogleError(code: error.code, message: prefix + error.message) }
    }

    private static func batchUpdate(_ call: APICall, _ world: inout World) throws(GoogleError) -> JSON {
        var spreadsheet = try find(call, world)
        let tellsSpreadsheet = call.body["includeSpreadsheetInResponse"]?.bool == true
        if tellsSpreadsheet { try world.quotas.chargeAnswer(to: call.token.email, now: call.now) }
        let replies = try BatchUpdate.apply(call.body["requests"]?.array ?? [], rows: call.rows, to: &spreadsheet)
        keep(spreadsheet, call, &world)
        var answer = JSONObject()
        answer["spreadsheetId"] = .string(spreadsheet.id)
        answer["replies"] = .array(replies)
        if tellsSpreadsheet {
            let texts = call.body["responseRanges"]?.array?.compactMap(\.string) ?? []
            answer["updatedSpreadsheet"] = view(
                spreadsheet, call, world, ranges: try ranges(texts, spreadsheet),
                showsCells: call.body["responseIncludeGridData"]?.bool == true)
        }
        return .object(answer)
    }

    private static func metadata(_ call: APICall, _ spreadsheet: Spreadsheet) throws(GoogleError) -> JSON {
        if call.method.id == "sheets.spreadsheets.developerMetadata.get" {
            let id = Int(call.variable("metadataId"))
            guard let metadata = spreadsheet.developerMetadata.first(where: { $0.id == id }) else {
                throw .entityNotFound
            }
            return metadata.json
        }
        var found: [(metadata: DeveloperMetadata, filters: [JSON])] = []
        for (index, filter) in (call.body["dataFilters"]?.array ?? []).enumerated() {
            let matches = try translating("Invalid dataFilters[\(index)]: ") { () throws(RequestError) in
                try DataFilter.metadata(filter, in: spreadsheet)
            }
            for metadata in matches {
                if let known = found.firstIndex(where: { $0.metadata.id == metadata.id }) {
                    found[known].filters.append(filter)
                } else {
                    found.append((metadata, [filter]))
                }
            }
        }
        guard !found.isEmpty else { return [:] }
        return [
            "matchedDeveloperMetadata": .array(
                found.map { ["developerMetadata": $0.metadata.json, "dataFilters": .array($0.filters)] })
        ]
    }

    private static func copySheet(_ call: APICall, _ world: inout World) throws(GoogleError) -> JSON {
        let source = try find(call, world)
        var target = try find(call.body["destinationSpreadsheetId"]?.string ?? "", world)
        let properties = try translating { () throws(RequestError) in
            let sheet = try source.sheet(Int(call.variable("sheetId")) ?? 0)
            let properties = target.add(source.sheets[sheet], of: source)
            try BatchUpdate.checkSize(of: target)
            return properties
        }
        keep(target, call, &world)
        return properties
    }
}

import JSON
import SheetModel

/// The result of a job of kind `export`.
enum ExportResult {
    /// What was written, and where.
    static func json(
        _ spreadsheet: ExportedSpreadsheet, folder: String?, sheets: [SheetSummary], warnings: [String], calls: Int
    ) -> JSON {
        json(
            [
                ("spreadsheet_id", .string(spreadsheet.id)), ("spreadsheet_url", .string(spreadsheet.url)),
                ("folder_id", JSON(spreadsheet.folder)), ("folder_url", JSON(folder)),
            ], sheets, calls: calls, warnings: spreadsheet.warnings + warnings)
    }

    /// What a job has to show that ends before it is done: where it wrote, and in words how far it is.
    static func unfinished(_ id: String, _ url: String, _ words: String...) -> JSON {
        unfinished(id, url, warnings: words)
    }

    /// The same with any number of sentences.
    static func unfinished(_ id: String, _ url: String, warnings: [String]) -> JSON {
        [
            "spreadsheet_id": .string(id), "spreadsheet_url": .string(url),
            "warnings": .array(warnings.map(JSON.string)),
        ]
    }

    /// What would be written into a new spreadsheet, and by which calls.
    static func json(
        dryRun sheets: [SheetSummary], warnings: [String], planned: [(name: String, count: Int)]
    ) -> JSON {
        json(
            dryRun: sheets.map(json), cells: JSON(cells(sheets)), warnings: warnings.map(JSON.string), planned: planned,
            calls: 0)
    }

    /// What would be written, and by which calls.
    ///
    /// - Parameter made: How many calls were made to find that out.
    static func json(
        dryRun sheets: [JSON], cells: JSON, warnings: [JSON], planned: [(name: String, count: Int)], calls made: JSON
    ) -> JSON {
        let calls = planned.filter { $0.count > 0 }
        return json(
            [
                ("dry_run", true),
                ("planned_calls", .object(JSONObject(calls.map { .init(name: $0.name, value: JSON($0.count)) }))),
            ], sheets, cells: cells, calls: made, warnings: warnings)
    }

    private static func json(
        _ head: [(name: String, value: JSON)], _ summaries: [SheetSummary], calls: Int, warnings: [String]
    ) -> JSON {
        json(
            head, summaries.map(json), cells: JSON(cells(summaries)), calls: JSON(calls),
            warnings: warnings.map(JSON.string))
    }

    private static func json(
        _ head: [(name: String, value: JSON)], _ sheets: [JSON], cells: JSON, calls: JSON, warnings: [JSON]
    ) -> JSON {
        let tail: [(name: String, value: JSON)] = [
            ("sheets", .array(sheets)), ("cells", cells), ("api_calls", calls), ("warnings", .array(warnings)),
        ]
        return .object(JSONObject((head + tail).map { .init(name: $0.name, value: $0.value) }))
    }

    private static func json(_ sheet: SheetSummary) -> JSON {
        var json = JSONObject()
        json["name"] = .string(sheet.name)
        json["sheet_id"] = JSON(sheet.id)
        json["rows"] = JSON(sheet.rows)
        json["columns"] = JSON(sheet.columns)
        json["changes"] = sheet.changes.map { changes in
            [
                "inserted": JSON(changes.inserted), "updated": JSON(changes.updated), "deleted": JSON(changes.deleted),
                "unchanged": JSON(changes.unchanged), "kept": JSON(changes.kept),
            ]
        }
        return .object(json)
    }

    private static func cells(_ sheets: [SheetSummary]) -> Int { sheets.reduce(0) { $0 + $1.cells } }
}

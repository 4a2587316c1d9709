import JSON
import JobQueue
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

    /// What would be written, and by which calls; those that depend on what Google holds are counted as if it held nothing.
    static func json(
        dryRun sheets: [SheetSummary], warnings: [String], planned: [(name: String, count: Int)], calls made: Int
    ) -> JSON {
        let calls = planned.filter { $0.count > 0 }
        return json(
            [
                ("dry_run", true),
                ("planned_calls", .object(JSONObject(calls.map { .init(name: $0.name, value: JSON($0.count)) }))),
            ], sheets, calls: made, warnings: warnings)
    }

    private static func json(
        _ head: [(name: String, value: JSON)], _ summaries: [SheetSummary], calls: Int, warnings: [String]
    ) -> JSON {
        let sheets = summaries.map { sheet -> JSON in
            [
                "name": .string(sheet.name), "sheet_id": JSON(sheet.id), "rows": JSON(sheet.rows),
                "columns": JSON(sheet.columns),
            ]
        }
        let tail: [(name: String, value: JSON)] = [
            ("sheets", .array(sheets)), ("cells", JSON(summaries.reduce(0) { $0 + $1.cells })),
            ("api_calls", JSON(calls)),
            ("warnings", .array(warnings.map(JSON.string))),
        ]
        return .object(JSONObject((head + tail).map { .init(name: $0.name, value: $0.value) }))
    }
}

extension SpreadsheetPlan {
    /// Plans a job; what does not fit together with the target is wrong with the payload.
    init(
        forJob spreadsheet: Spreadsheet, target: PlanTarget, removing leftovers: [Int] = [],
        template: FormattingTemplate?,
        notes: @escaping @Sendable (_ sheet: Int, _ id: Int) -> [JSON] = { _, _ in [] }, batchBytes: Int
    ) throws(JobFailure) {
        do throws(SheetModelError) {
            try self.init(
                spreadsheet, target: target, removing: leftovers, template: template, notes: notes,
                batchBytes: batchBytes)
        } catch {
            throw JobFailure(.payloadInvalid, error.description, retry: .never)
        }
    }
}

extension StagedPlan {
    /// Plans a job's replacement; where there is no room for it, the payload is too large for its target.
    init(
        forJob plan: SpreadsheetPlan, among sheets: [ExistingSheet], removing leftovers: [Int],
        hidden: [(id: Int, title: String)]
    ) throws(JobFailure) {
        do throws(SheetModelError) {
            try self.init(plan, among: sheets, removing: leftovers, hidden: hidden)
        } catch {
            throw JobFailure(.payloadInvalid, error.description, retry: .never)
        }
    }
}

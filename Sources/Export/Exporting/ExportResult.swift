import JSON
import JobQueue
import SheetModel

/// The result of a job of kind `export`.
enum ExportResult {
    /// What was written, and where.
    static func json(_ spreadsheet: ExportedSpreadsheet, folder: String?, plan: SpreadsheetPlan, calls: Int) -> JSON {
        json(
            [
                ("spreadsheet_id", .string(spreadsheet.id)), ("spreadsheet_url", .string(spreadsheet.url)),
                ("folder_id", JSON(spreadsheet.folder)), ("folder_url", JSON(folder)),
            ], plan, calls: calls, warnings: spreadsheet.warnings)
    }

    /// What would be written, and by which calls; those that depend on what Google holds are counted as if it held nothing.
    static func json(dryRun plan: SpreadsheetPlan, planned: [(name: String, count: Int)]) -> JSON {
        let calls = planned.filter { $0.count > 0 }
        return json(
            [
                ("dry_run", true),
                ("planned_calls", .object(JSONObject(calls.map { .init(name: $0.name, value: JSON($0.count)) }))),
            ], plan, calls: 0, warnings: [])
    }

    private static func json(
        _ head: [(name: String, value: JSON)], _ plan: SpreadsheetPlan, calls: Int, warnings: [String]
    ) -> JSON {
        let sheets = plan.sheets.map { sheet -> JSON in
            [
                "name": .string(sheet.name), "sheet_id": JSON(sheet.id), "rows": JSON(sheet.rows),
                "columns": JSON(sheet.columns),
            ]
        }
        let tail: [(name: String, value: JSON)] = [
            ("sheets", .array(sheets)), ("cells", JSON(plan.cells)), ("api_calls", JSON(calls)),
            ("warnings", .array((warnings + plan.warnings.map(\.description)).map(JSON.string))),
        ]
        return .object(JSONObject((head + tail).map { .init(name: $0.name, value: $0.value) }))
    }
}

extension SpreadsheetPlan {
    /// Plans a job; what does not fit together with the target is wrong with the payload.
    init(
        forJob spreadsheet: Spreadsheet, target: PlanTarget, template: FormattingTemplate?, batchBytes: Int
    ) throws(JobFailure) {
        do throws(SheetModelError) {
            try self.init(spreadsheet, target: target, template: template, batchBytes: batchBytes)
        } catch {
            throw JobFailure(code: "payload.invalid", message: error.description, retry: .never)
        }
    }
}

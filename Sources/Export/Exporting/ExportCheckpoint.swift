import Google
import JSON
import SheetModel

/// How far the attempts of an export have come, as the queue keeps it.
enum ExportCheckpoint: Sendable, Hashable {
    /// No attempt has made a spreadsheet.
    case notMade
    /// One may have.
    case unclear(UncertainCreate)
    /// The spreadsheet is there.
    case made(ExportedSpreadsheet, written: Written?)
    /// Sheets of somebody's spreadsheet are being replaced.
    case staged(Staging)

    /// What is written in it: the first batch at least.
    struct Written: Sendable, Hashable {
        /// Google's id of each sheet of the payload.
        let sheetIDs: [Int]
        /// The first row that may not be there.
        let next: PlanPosition
    }

    /// How far a replacement has come in the hidden sheets of its own.
    struct Staging: Sendable, Hashable {
        /// What is written in the hidden sheets; at the beginning perhaps not even they are there.
        let written: Written
        /// What the job has to show once the last batch is done, which may have been sent; nil before it.
        let outcome: SheetReplacer.Outcome?
        /// Which cells of the hidden sheets the rows are in; see `StagedPlan.layout`.
        let layout: String
    }

    /// Reads what an earlier attempt saved; nil for what this version does not know.
    init?(_ json: JSON) {
        switch json["stage"]?.string {
        case "not_made": self = .notMade
        case "unclear":
            guard let since = json["since"]?.int, let looks = json["looks"]?.int else { return nil }
            self = .unclear(
                UncertainCreate(since: Timestamp(seconds: since), looks: looks, folder: json["folder_id"]?.string))
        case "made":
            guard let id = json["spreadsheet_id"]?.string, let url = json["spreadsheet_url"]?.string else { return nil }
            let spreadsheet = ExportedSpreadsheet(
                id: id, url: url, folder: json["folder_id"]?.string,
                warnings: json["warnings"]?.array?.compactMap(\.string) ?? [])
            self = .made(spreadsheet, written: Written(json))
        case "staged":
            guard let written = Written(json) else { return nil }
            self = .staged(
                Staging(
                    written: written, outcome: SheetReplacer.Outcome(json), layout: json["layout"]?.string ?? ""))
        default: return nil
        }
    }

    /// The form in which the queue keeps it; `result` is what a job has to show that ends before its time.
    var json: JSON {
        switch self {
        case .notMade: return ["stage": "not_made"]
        case .unclear(let create):
            return [
                "stage": "unclear", "since": JSON(create.since.seconds), "looks": JSON(create.looks),
                "folder_id": JSON(create.folder),
                "result": [
                    "folder_id": JSON(create.folder),
                    "warnings": [
                        .string(
                            "Whether the spreadsheet was made is not certain; it is looked for in the folder "
                                + "\(create.folder ?? "of the identity's root")."
                        )
                    ],
                ],
            ]
        case .made(let spreadsheet, let written):
            let (id, url) = (JSON.string(spreadsheet.id), JSON.string(spreadsheet.url))
            var json = JSONObject()
            json["stage"] = "made"
            json["spreadsheet_id"] = id
            json["spreadsheet_url"] = url
            json["folder_id"] = spreadsheet.folder.map(JSON.string)
            if !spreadsheet.warnings.isEmpty { json["warnings"] = .array(spreadsheet.warnings.map(JSON.string)) }
            written?.add(to: &json)
            json["result"] = ExportResult.unfinished(
                spreadsheet.id, spreadsheet.url,
                written.map { written in
                    "Not all rows are written for certain: those are that lie before row \(written.next.row + 1) of sheet "
                        + "\(written.next.sheet + 1), and all of the sheets before that one."
                } ?? "The spreadsheet is made; whether any of its rows are written is not certain.")
            return .object(json)
        case .staged(let staging):
            var json = JSONObject()
            json["stage"] = "staged"
            staging.written.add(to: &json)
            staging.outcome?.add(to: &json)
            json["layout"] = .string(staging.layout)
            return .object(json)
        }
    }
}

extension SheetReplacer.Outcome {
    fileprivate init?(_ json: JSON) {
        guard let sheets = json["sheets"]?.array else { return nil }
        self.sheets = sheets.compactMap { sheet in
            guard let name = sheet["name"]?.string, let id = sheet["sheet_id"]?.int, let rows = sheet["rows"]?.int,
                let columns = sheet["columns"]?.int, let cells = sheet["cells"]?.int
            else { return nil }
            return SheetSummary(name: name, id: id, rows: rows, columns: columns, cells: cells)
        }
        warnings = json["warnings"]?.array?.compactMap(\.string) ?? []
    }

    fileprivate func add(to json: inout JSONObject) {
        json["sheets"] = .array(
            sheets.map { sheet in
                [
                    "name": .string(sheet.name), "sheet_id": JSON(sheet.id), "rows": JSON(sheet.rows),
                    "columns": JSON(sheet.columns), "cells": JSON(sheet.cells),
                ]
            })
        json["warnings"] = .array(warnings.map(JSON.string))
    }
}

extension ExportCheckpoint.Written {
    fileprivate init?(_ json: JSON) {
        guard let ids = json["sheet_ids"]?.array, let sheet = json["next_sheet"]?.int, let row = json["next_row"]?.int,
            sheet >= 0, row >= 0
        else { return nil }
        self.init(sheetIDs: ids.compactMap(\.int), next: PlanPosition(sheet: sheet, row: row))
    }

    fileprivate func add(to json: inout JSONObject) {
        json["sheet_ids"] = .array(sheetIDs.map { JSON($0) })
        json["next_sheet"] = JSON(next.sheet)
        json["next_row"] = JSON(next.row)
    }
}

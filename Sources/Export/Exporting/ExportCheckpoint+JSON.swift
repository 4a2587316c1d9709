import Google
import JSON
import SheetModel

/// The text in which the queue keeps a checkpoint; jobs go on with what the version before has saved, so names stay.
extension ExportCheckpoint {
    /// Reads what an earlier attempt saved.
    init(_ json: JSON) {
        stage = Stage(json) ?? .unknown(json)
        for member in json["kept"]?.object ?? JSONObject() {
            if let index = Int(member.name) { sheets[index] = SheetProgress(member.value) ?? .unknown(member.value) }
        }
        identity = json["identity"]?.string
        result = json["result"]
    }

    /// What the queue keeps; the member `result` is what a job has to show that ends before it is done.
    var json: JSON {
        var json = stage.members
        if !sheets.isEmpty {
            let entries = sheets.sorted { $0.key < $1.key }
            json["kept"] = .object(JSONObject(entries.map { .init(name: String($0.key), value: $0.value.json) }))
        }
        if let identity { json["identity"] = .string(identity) }
        if let result = result ?? stage.result { json["result"] = result }
        return .object(json)
    }
}

extension ExportCheckpoint.Stage {
    fileprivate init?(_ json: JSON) {
        switch json["stage"]?.string {
        case "begun": self = .begun
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
            self = .made(spreadsheet, written: ExportCheckpoint.Written(json))
        case "staged":
            guard let written = ExportCheckpoint.Written(json) else { return nil }
            self = .staged(
                ExportCheckpoint.Staging(
                    written: written, outcome: SheetReplacer.Outcome(json), layout: json["layout"]?.string ?? ""))
        default: return nil
        }
    }

    fileprivate var members: JSONObject {
        var json = JSONObject()
        switch self {
        case .begun: json["stage"] = "begun"
        case .notMade: json["stage"] = "not_made"
        case .unclear(let create):
            json["stage"] = "unclear"
            json["since"] = JSON(create.since.seconds)
            json["looks"] = JSON(create.looks)
            json["folder_id"] = JSON(create.folder)
        case .made(let spreadsheet, let written):
            json["stage"] = "made"
            json["spreadsheet_id"] = .string(spreadsheet.id)
            json["spreadsheet_url"] = .string(spreadsheet.url)
            json["folder_id"] = spreadsheet.folder.map(JSON.string)
            if !spreadsheet.warnings.isEmpty { json["warnings"] = .array(spreadsheet.warnings.map(JSON.string)) }
            written?.add(to: &json)
        case .staged(let staging):
            json["stage"] = "staged"
            staging.written.add(to: &json)
            staging.outcome?.add(to: &json)
            json["layout"] = .string(staging.layout)
        case .unknown(let saved): json = saved.object ?? json
        }
        return json
    }

    /// What a job has to show that ends in this stage; nil where there is nothing, or only its writer knows.
    var result: JSON? {
        switch self {
        case .begun, .notMade, .staged, .unknown: nil
        case .unclear(let create):
            [
                "folder_id": JSON(create.folder),
                "warnings": [
                    .string(
                        "Whether the spreadsheet was made is not certain; it is looked for in the folder "
                            + "\(create.folder ?? "of the identity's root")."
                    )
                ],
            ]
        case .made(let spreadsheet, let written):
            ExportResult.unfinished(
                spreadsheet.id, spreadsheet.url,
                written.map { written in
                    "Not all rows are written for certain: those are that lie before row \(written.next.row + 1) of sheet "
                        + "\(written.next.sheet + 1), and all of the sheets before that one."
                } ?? "The spreadsheet is made; whether any of its rows are written is not certain.")
        }
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

extension ExportCheckpoint.SheetProgress {
    fileprivate init?(_ json: JSON) {
        if json["upsert"] == true {
            self = .upsert
        } else {
            guard let progress = AppendProgress(json) else { return nil }
            self = .append(progress)
        }
    }

    fileprivate var json: JSON {
        switch self {
        case .append(let progress): progress.json
        case .upsert: ["upsert": true]
        case .unknown(let saved): saved
        }
    }
}

extension AppendProgress {
    fileprivate init?(_ json: JSON) {
        guard let sheetID = json["sheet_id"]?.int, let rows = json["rows"]?.int, let digest = json["digest"]?.string,
            let sent = json["sent"]?.int, let others = json["others"]?.int
        else { return nil }
        self.init(sheetID: sheetID, rows: rows, digest: digest, sent: sent, others: others)
    }

    fileprivate var json: JSON {
        [
            "sheet_id": JSON(sheetID), "rows": JSON(rows), "digest": .string(digest), "sent": JSON(sent),
            "others": JSON(others),
        ]
    }
}

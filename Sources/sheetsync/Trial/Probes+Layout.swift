import Export
import Google
import JSON
import SheetModel

/// Probes of what hangs on a sheet beside its cells.
extension Probe {
    static let replaceCalls = Probe(
        name: "a replace's calls",
        tries:
            "a sheet with merges, bands, a filter, a table, a group and rules of format, made like new by an export",
        restsOnIt: "replaces with reset",
        advice: "report it with this trial's --json, and export into new spreadsheets", writes: 2
    ) { stage throws(GoogleError) in
        let sheet = stage.sheetID()
        let (band, table) = (500_000 + sheet, "trial_\(sheet)")
        func range(_ rows: Range<Int>, _ columns: Range<Int>) -> JSON {
            TrialStage.range(sheet, rows: rows, columns: columns)
        }
        let group: JSON = ["sheetId": JSON(sheet), "dimension": "ROWS", "startIndex": 10, "endIndex": 12]
        let color: JSON = ["rgbColor": ["red": 1]]
        try await stage.batch(
            TrialStage.cells([header], on: sheet),
            ["mergeCells": ["range": range(6..<8, 0..<2), "mergeType": "MERGE_ALL"]],
            [
                "addBanding": [
                    "bandedRange": [
                        "bandedRangeId": JSON(band), "range": range(0..<5, 0..<2),
                        "rowProperties": ["firstBandColorStyle": color, "secondBandColorStyle": color],
                    ]
                ]
            ],
            ["setBasicFilter": ["filter": ["range": range(0..<5, 0..<2)]]],
            ["addTable": ["table": ["tableId": .string(table), "name": .string(table), "range": range(0..<3, 4..<6)]]],
            ["addDimensionGroup": ["range": group]],
            [
                "addConditionalFormatRule": [
                    "index": 0,
                    "rule": [
                        "ranges": [range(0..<5, 0..<1)],
                        "booleanRule": [
                            "condition": ["type": "NOT_BLANK"], "format": ["backgroundColorStyle": color],
                        ],
                    ],
                ]
            ])
        var existing = ExistingSheet(
            id: sheet, title: "Probe \(sheet)", rows: TrialStage.rows, columns: TrialStage.columns, bandingIDs: [band])
        existing.isReset = true
        existing.merges = [CellBlock(rows: 6..<8, columns: 0..<2)]
        existing.tables = [SheetTable(id: table, name: table, block: CellBlock(rows: 0..<3, columns: 4..<6))]
        existing.belongings.conditionalFormats = 1
        existing.belongings.removals = [["deleteDimensionGroup": ["range": group]]]
        do {
            let new = Sheet(
                name: "Probe \(sheet)", columns: [try Column(name: "new", type: .integer)], rows: [[1], [2]])
            let plan = try SpreadsheetPlan(
                try Spreadsheet(locale: nil, timeZone: nil, sheets: [new]), target: .existing([existing]))
            var batches = plan.batches()
            while let batch = try batches.next() {
                _ = try await stage.sheets.batchUpdate(stage.spreadsheetID, body: batch.body)
            }
        } catch let error as GoogleError { throw error } catch {
            return .notTried("the replace could not be planned")
        }
        let found = try await stage.sheets.spreadsheet(
            stage.spreadsheetID,
            fields:
                "sheets(properties.sheetId,merges,tables.tableId,bandedRanges.bandedRangeId,rowGroups,conditionalFormats)"
        )
        let left = (found["sheets"]?.array ?? []).first { $0["properties"]?["sheetId"]?.int == sheet }
        var remains = ["merges", "tables", "rowGroups", "conditionalFormats"].filter { left?[$0] != nil }
        if (left?["bandedRanges"]?.array ?? []).contains(where: { $0["bandedRangeId"]?.int == band }) {
            remains.append("bandedRanges")
        }
        guard remains.isEmpty else { return .differs("left over: \(remains.joined(separator: ", "))") }
        let values = try await stage.values("A1:B3", on: sheet)
        return .holds(
            if: values == [["new"], [1], [2]], "nothing of it is left, and the rows are there",
            else: "other values came back")
    }

    static let besideTables = Probe(
        name: "cells below tables", tries: "cells that are written below a table and a filter, and a named range",
        restsOnIt: "tables and filters grow by what SheetSync says of them, and by nothing else",
        advice: "report it with this trial's --json, and export beside tables", writes: 1
    ) { stage throws(GoogleError) in
        let sheet = stage.sheetID()
        let (table, name) = ("trial_\(sheet)", "trial_range_\(sheet)")
        func range(_ columns: Range<Int>) -> JSON { TrialStage.range(sheet, rows: 0..<3, columns: columns) }
        let row: [JSON] = Array(repeating: ["userEnteredValue": ["numberValue": 1]], count: 5)
        try await stage.batch(
            TrialStage.cells([header + [[:]] + header], on: sheet),
            ["addTable": ["table": ["tableId": .string(table), "name": .string(table), "range": range(0..<2)]]],
            ["setBasicFilter": ["filter": ["range": range(3..<5)]]],
            ["addNamedRange": ["namedRange": ["name": .string(name), "range": range(3..<5)]]],
            TrialStage.cells([row], on: sheet, row: 3))
        let found = try await stage.sheets.spreadsheet(
            stage.spreadsheetID, fields: "sheets(properties.sheetId,tables(tableId,range),basicFilter.range)")
        let own = (found["sheets"]?.array ?? []).first { $0["properties"]?["sheetId"]?.int == sheet }
        let ends = [own?["tables"]?[0]?["range"], own?["basicFilter"]?["range"]].map { $0?["endRowIndex"]?.int }
        let named = try await stage.sheets.values(stage.spreadsheetID, in: [name], cells: 6)[0]
        guard named.first == ["a", "b"] else { return .differs("the named range reads as something else") }
        let isRange: Bool
        do throws(GoogleError) {
            _ = try await stage.sheets.values(stage.spreadsheetID, in: [table], cells: 6)
            isRange = true
        } catch {
            guard error.code == .badRequest else { throw error }
            isRange = false
        }
        let words = "a table's name \(isRange ? "reads as its cells" : "is no range of values")"
        return .holds(
            if: ends == [3, 3], "both end where they did; \(words)",
            else:
                "rows of the table and of the filter: \(ends.map { $0.map(String.init) ?? "none" }.joined(separator: ", "))"
        )
    }

    static let movingMetadata = Probe(
        name: "metadata of a column",
        tries:
            "developer metadata of a column, before which another is inserted; some is deleted by its id",
        restsOnIt: "a job's columns are found again where people have moved them",
        advice: "keep people from moving columns, or give each column a name of its own", writes: 2
    ) { stage throws(GoogleError) in
        let sheet = stage.sheetID()
        let ids = [800_000_000 + sheet, 900_000_000 + sheet]
        func columns(_ index: Int) -> JSON {
            [
                "sheetId": JSON(sheet), "dimension": "COLUMNS", "startIndex": JSON(index), "endIndex": JSON(index + 1),
            ]
        }
        try await stage.batch(
            ids.enumerated().map { index, id in
                [
                    "createDeveloperMetadata": [
                        "developerMetadata": [
                            "metadataId": JSON(id), "metadataKey": "sheetsync_trial", "metadataValue": "1",
                            "visibility": "DOCUMENT", "location": ["dimensionRange": columns(index + 1)],
                        ]
                    ]
                ]
            })
        try await stage.batch(
            ["insertDimension": ["range": columns(0), "inheritFromBefore": false]],
            ["deleteDeveloperMetadata": ["dataFilter": ["developerMetadataLookup": ["metadataId": JSON(ids[1])]]]])
        let found = try await stage.sheets.spreadsheet(
            stage.spreadsheetID, in: [GridRectangle(sheetID: sheet, rows: 0..<1, columns: 0..<5)],
            fields: "sheets.data.columnMetadata.developerMetadata.metadataId")
        let seen = (found["sheets"]?[0]?["data"]?[0]?["columnMetadata"]?.array ?? []).map { column in
            (column["developerMetadata"]?.array ?? []).compactMap { $0["metadataId"]?.int }
        }
        guard seen.contains([ids[0]]) else { return .differs("it is not there any more") }
        guard seen.firstIndex(of: [ids[0]]) == 2 else { return .differs("it did not move with its column") }
        return .holds(
            if: seen.allSatisfy { !$0.contains(ids[1]) }, "it moved with its column, and the other one is gone",
            else: "it moved with its column, but the deleted one is there")
    }

    static let metadataSize = Probe(
        name: "size of metadata", tries: "developer metadata of 25,000 characters on one sheet",
        restsOnIt: "the marks of the columns that a job wrote: up to 100 of some hundred characters",
        advice: "report it with this trial's --json; write into sheets with few columns", writes: 1
    ) { stage throws(GoogleError) in
        let note: JSON = [
            "createDeveloperMetadata": [
                "developerMetadata": [
                    "metadataKey": "sheetsync_trial_size",
                    "metadataValue": .string(String(repeating: "x", count: 25_000)),
                    "visibility": "DOCUMENT", "location": ["sheetId": JSON(stage.sheetID())],
                ]
            ]
        ]
        try await stage.batch(note)
        return .holds("taken")
    }

    static let pastedText = Probe(
        name: "pasted text", tries: "a text that looks like a formula, pasted as a value (pasteData)",
        restsOnIt: "nothing: as it should become a formula, SheetSync pastes no text",
        advice: "nothing: no job rests on it", writes: 1
    ) { stage throws(GoogleError) in
        let sheet = stage.sheetID()
        try await stage.batch(
            [
                "pasteData": [
                    "coordinate": ["sheetId": JSON(sheet), "rowIndex": 0, "columnIndex": 0], "data": "=1+1",
                    "type": "PASTE_VALUES", "delimiter": "\t",
                ]
            ])
        let found = try await stage.values("A1:A1", on: sheet).first?.first
        return .holds(if: found == 2, "it became a formula", else: "it stayed a text, or became something else")
    }
}

import Export
import Google
import HTTPTypes
import JSON
import SheetModel

extension Probe {
    /// Each probe in the order in which they are made: first those whose result the daemon goes by.
    static let all: [Probe] = [
        packedBodies, valuesByGridRange, takenMetadata, folderID, listDelay, callShapes, replaceCalls, copyFromHidden,
        banding, manyRequests, largeWrite, textStaysText, links, tables, besideTables, movingMetadata, metadataSize,
        cellKinds, responseOfWrite, pastedText, version, changes, copy, copyByID, workbook, move, trash, share, locale,
        writeQuota, costOfAnswer, readQuota, newFiles,
    ]

    static let packedBodies = Probe(
        name: GoogleTraits.packedBodies, tries: "a batch whose body is compressed by gzip",
        restsOnIt: "writes a sixth as long on the wire",
        advice: "nothing: the daemon sends plain bodies from its next start on, and finds it out by itself until then",
        writes: 2
    ) { stage throws(GoogleError) in
        let sent = await stage.manyCells()
        // The client tries a refused body once more as it is.
        if sent.calls.count > 1, sent.error != nil { return .notTried("the batch was refused as it is too") }
        if let error = sent.error { throw error }
        guard sent.calls.count == 1 else {
            return .differs("refused with HTTP \(sent.calls.first?.status ?? 0); the same body as it is was taken")
        }
        return .holds("\((sent.calls[0].requestSize + 500) / 1_000) kB were taken")
    }

    static let valuesByGridRange = Probe(
        name: GoogleTraits.valuesByGridRange, tries: "values.batchUpdateByDataFilter with the range of a grid",
        restsOnIt: "rows behind an export's first write go as plain values, a third as long as cells",
        advice: "nothing: the daemon sends rows as cells from its next start on, and by itself until then", writes: 1
    ) { stage throws(GoogleError) in
        let sheet = stage.sheetID()
        let body: JSON = [
            "valueInputOption": "RAW",
            "data": [
                [
                    "majorDimension": "ROWS", "values": [["a", 1.5, true], ["b", nil, false]],
                    "dataFilter": [
                        "gridRange": [
                            "sheetId": JSON(sheet), "startRowIndex": 1, "endRowIndex": 3, "startColumnIndex": 1,
                            "endColumnIndex": 4,
                        ]
                    ],
                ]
            ],
        ]
        try await stage.sheets.updateValues(stage.spreadsheetID, body: body.bytes)
        let found = try await stage.values("B2:D3", on: sheet)
        return .holds(
            if: found.count == 2 && found[0] == ["a", 1.5, true] && found[1].first == "b" && found[1].last == false,
            "text, a number and truth values stand where they belong", else: "the values stand elsewhere, or are others"
        )
    }

    static let takenMetadata = Probe(
        name: "taken metadata id", tries: "a batch with developer metadata of an id that is taken",
        restsOnIt: "appended rows are there once, also where a late write of another worker arrives",
        advice:
            "do not append with several workers: set SHEETSYNC_CONCURRENCY to 1 on one worker, or use replace and upsert",
        writes: 2
    ) { stage throws(GoogleError) in
        let sheet = stage.sheetID()
        let note: JSON = [
            "createDeveloperMetadata": [
                "developerMetadata": [
                    "metadataId": JSON(700_000_000 + sheet), "metadataKey": "sheetsync_trial", "metadataValue": "1",
                    "visibility": "PROJECT", "location": ["sheetId": JSON(sheet)],
                ]
            ]
        ]
        let cell: JSON = ["userEnteredValue": ["numberValue": 1]]
        try await stage.batch(note)
        let isRefused = try await stage.isRefused([TrialStage.cells([[cell]], on: sheet), note])
        let isEmpty = try await stage.values("A1:A1", on: sheet).isEmpty
        guard isRefused else { return .differs("the second batch was taken") }
        return .holds(
            if: isEmpty, "the second batch was refused whole",
            else: "the second batch was refused, and its cells are there")
    }

    static let callShapes = Probe(
        name: "an export's calls",
        tries: "the writes of an export with every type of column, and the values that come of them",
        restsOnIt: "every export",
        advice: "report it with this trial's --json: exports write other cells than they should",
        writes: 1
    ) { stage throws(GoogleError) in
        let id = try await stage.marked().id
        let types: [(ColumnType, JSON, JSON)] = [
            (.text, "=1+1", "=1+1"), (.number, 1.25, 1.25), (.integer, 7, 7), (.boolean, true, true),
            (.date, "2026-11-22", 46348), (.time, "06:00", 0.25), (.datetime, "2026-11-22T12:00:00", 46348.5),
            (.currency, 9.5, 9.5), (.percent, 0.25, 0.25), (.link, "https://example.com/", "https://example.com/"),
            (.formula, "=1+1", 2), (.auto, "x", "x"),
        ]
        do {
            let sheet = Sheet(
                name: "Types", columns: try types.map { try Column(name: $0.0.rawValue, type: $0.0) },
                rows: [types.map(\.1)])
            let plan = try SpreadsheetPlan(try Spreadsheet(locale: nil, timeZone: nil, sheets: [sheet]))
            var batches = plan.batches()
            while let batch = try batches.next() { _ = try await stage.sheets.batchUpdate(id, body: batch.body) }
        } catch let error as GoogleError { throw error } catch {
            return .notTried("the export could not be planned")
        }
        let found = try await stage.sheets.values(id, in: ["Types!A2:L2"], cells: 12)[0].first?.array ?? []
        let column = try await stage.sheets.values(id, in: ["Types!B1:B2"], cells: 2, byColumns: true)[0]
        guard column.first?.array?.count == 2, column.count == 1 else {
            return .differs("values that were asked for by columns did not come by columns")
        }
        let wrong = types.indices.filter { !found.indices.contains($0) || !Self.isEqual(found[$0], types[$0].2) }
        return .holds(
            if: wrong.isEmpty, "all \(types.count) types read back as they were written",
            else: "other values came back for \(wrong.map { types[$0].0.rawValue }.joined(separator: ", "))")
    }

    private static func isEqual(_ one: JSON, _ other: JSON) -> Bool {
        if let one = one.double, let other = other.double { return abs(one - other) < 1e-6 }
        return one == other
    }

    static let copyFromHidden = Probe(
        name: "copy from a hidden sheet",
        tries: "rows that are copied out of a hidden sheet, which goes in the same batch; one looks like a formula",
        restsOnIt: "large replaces that nobody sees half-done and that keep the sheet's id",
        advice: "keep replaces below SHEETSYNC_BATCH_BYTES, which go as one write, or export into new spreadsheets",
        writes: 1
    ) { stage throws(GoogleError) in
        let (hidden, sheet) = (stage.hiddenSheetID, stage.sheetID())
        func range(_ id: Int) -> JSON { TrialStage.range(id, rows: 0..<1, columns: 0..<2) }
        try await stage.batch(
            [
                "updateSheetProperties": [
                    "properties": ["sheetId": JSON(hidden), "hidden": false], "fields": "hidden",
                ]
            ],
            ["copyPaste": ["source": range(hidden), "destination": range(sheet), "pasteType": "PASTE_VALUES"]],
            ["deleteSheet": ["sheetId": JSON(hidden)]])
        let found = try await stage.values("A1:B1", on: sheet)
        return .holds(
            if: found.first == ["copied", "=1+1"], "the rows are there as they were, in the sheet with its old id",
            else: found.isEmpty ? "the rows did not arrive" : "the rows arrived as something else")
    }

    static let banding = Probe(
        name: "banding in one batch", tries: "a banded range that is deleted and made again in one batch",
        restsOnIt: "replaces with a template, as one write",
        advice: "name a template without bands for replaces (docs/payloads.md)", writes: 1
    ) { stage throws(GoogleError) in
        let sheet = stage.sheetID()
        func band(_ id: Int) -> JSON {
            [
                "addBanding": [
                    "bandedRange": [
                        "bandedRangeId": JSON(id),
                        "range": TrialStage.range(sheet, rows: 0..<5, columns: 0..<3),
                        "rowProperties": [
                            "firstBandColorStyle": ["rgbColor": ["red": 1]],
                            "secondBandColorStyle": ["rgbColor": ["green": 1]],
                        ],
                    ]
                ]
            ]
        }
        try await stage.batch(
            band(500_000 + sheet), ["deleteBanding": ["bandedRangeId": JSON(500_000 + sheet)]], band(600_000 + sheet))
        return .holds("taken")
    }

    static let largeWrite = Probe(
        name: "size of a write", tries: "one write of 9 MB, and where that is refused of 8 and 4 MB",
        restsOnIt: "SHEETSYNC_BATCH_BYTES (8,000,000 unless set), the rows that one write brings",
        advice: "set SHEETSYNC_BATCH_BYTES to the size that was taken, or to 2000000 where none was", writes: 3
    ) { stage throws(GoogleError) in
        let sheet = stage.sheetID()
        for megabytes in [9, 8, 4] {
            let text = JSON.string(String(repeating: "x", count: 40_000))
            let values = Array(repeating: JSON.array([text]), count: megabytes * 25)
            let body: JSON = [
                "valueInputOption": "RAW",
                "data": [
                    [
                        "majorDimension": "ROWS", "values": .array(values),
                        "dataFilter": [
                            "gridRange": TrialStage.range(sheet, rows: 0..<values.count, columns: 0..<1)
                        ],
                    ]
                ],
            ]
            let start = ContinuousClock.now
            do throws(GoogleError) {
                try await stage.sheets.updateValues(stage.spreadsheetID, body: body.bytes)
            } catch {
                guard [.requestTooLarge, .badRequest, .timedOut].contains(error.code) else { throw error }
                continue
            }
            let seconds = Self.seconds(ContinuousClock.now - start)
            return .holds(
                if: megabytes >= 8, "\(megabytes) MB were taken in \(seconds) s",
                else: "no more than \(megabytes) MB were taken")
        }
        return .differs("not even 4 MB were taken")
    }

    static let textStaysText = Probe(
        name: "text stays text",
        tries: "values that look like a formula, a number and a date, entered as they are (RAW)",
        restsOnIt: "that no text of yours becomes a formula",
        advice: "stop exports of what strangers wrote, and report it with this trial's --json", writes: 1
    ) { stage throws(GoogleError) in
        let sheet = stage.sheetID()
        let texts: [JSON] = ["=1+1", "007", "2026-01-02", "TRUE", "'x"]
        let body: JSON = [
            "valueInputOption": "RAW",
            "data": [["range": .string("'Probe \(sheet)'!A1:E1"), "values": [.array(texts)]]],
        ]
        _ = try await stage.api.call(
            APIRequest(
                .sheets, .post, "\(APIRequest.sheetsPath(stage.spreadsheetID))/values:batchUpdate",
                fields: "totalUpdatedCells", body: body.bytes))
        let found = try await stage.values("A1:E1", on: sheet)
        return .holds(
            if: found == [texts], "all of it reads back as the same text",
            else: "some of it reads back as something else")
    }

    static let links = Probe(
        name: "links", tries: "a cell whose format has a link", restsOnIt: "columns of the type link",
        advice: "give the column the type formula with HYPERLINK, or text", writes: 1
    ) { stage throws(GoogleError) in
        let sheet = stage.sheetID()
        try await stage.batch(
            TrialStage.cells(
                [
                    [
                        [
                            "userEnteredValue": ["stringValue": "page"],
                            "userEnteredFormat": ["textFormat": ["link": ["uri": "https://example.com/"]]],
                        ]
                    ]
                ], on: sheet, fields: "userEnteredValue,userEnteredFormat.textFormat.link"))
        let cell = try await stage.sheets.spreadsheet(
            stage.spreadsheetID, in: [GridRectangle(sheetID: sheet, rows: 0..<1, columns: 0..<1)],
            fields: "sheets.data.rowData.values(hyperlink,userEnteredFormat.textFormat.link)")
        let value = cell["sheets"]?[0]?["data"]?[0]?["rowData"]?[0]?["values"]?[0]
        let uri = (value?["userEnteredFormat"]?["textFormat"]?["link"]?["uri"] ?? value?["hyperlink"])?.string
        return .holds(
            if: uri == "https://example.com/", "the cell has the link", else: "the cell has no link, or another")
    }

    static let tables = Probe(
        name: "tables", tries: "a table that is made and grows by rows that are inserted",
        restsOnIt: "replaces and appends in a sheet with a table",
        advice: "export beside tables, not into them", writes: 1
    ) { stage throws(GoogleError) in
        let sheet = stage.sheetID()
        let id = "trial_\(sheet)"
        func range(_ rows: Range<Int>) -> JSON { TrialStage.range(sheet, rows: rows, columns: 0..<2) }
        try await stage.batch(
            TrialStage.cells([header], on: sheet),
            ["addTable": ["table": ["tableId": .string(id), "name": .string(id), "range": range(0..<3)]]],
            ["insertRange": ["range": range(3..<5), "shiftDimension": "ROWS"]],
            ["updateTable": ["table": ["tableId": .string(id), "range": range(0..<5)], "fields": "range"]])
        let found = try await stage.sheets.spreadsheet(
            stage.spreadsheetID, fields: "sheets(properties.sheetId,tables(tableId,range))")
        let tables = (found["sheets"]?.array ?? []).flatMap { $0["tables"]?.array ?? [] }
        let end = tables.first { $0["tableId"]?.string == id }?["range"]?["endRowIndex"]?.int
        return .holds(if: end == 5, "it has grown", else: "it has not grown")
    }

    static let header: [JSON] = ["a", "b"].map { ["userEnteredValue": ["stringValue": $0]] }

    static let locale = Probe(
        name: "locale and zone", tries: "a spreadsheet that is given a locale and a time zone",
        restsOnIt: "the payload's locale and time_zone",
        advice: "leave out locale and time_zone, and set them in a spreadsheet that copy_of names", writes: 1
    ) { stage throws(GoogleError) in
        try await stage.batch(
            [
                "updateSpreadsheetProperties": [
                    "properties": ["locale": "de_DE", "timeZone": "Asia/Tokyo"], "fields": "locale,timeZone",
                ]
            ])
        let found = try await stage.sheets.spreadsheet(stage.spreadsheetID, fields: "properties(locale,timeZone)")[
            "properties"]
        return .holds(
            if: found?["locale"]?.string == "de_DE" && found?["timeZone"]?.string == "Asia/Tokyo",
            "it has them", else: "it has others")
    }

    static let cellKinds = Probe(
        name: "cells with errors",
        tries: "how values show failing formulas, an empty text, boxes, a percentage, a duration and merged cells",
        restsOnIt: "what upserts read of the keys that are there",
        advice: "report it with this trial's --json, and keep formulas out of key columns", writes: 1
    ) { stage throws(GoogleError) in
        let sheet = stage.sheetID()
        let formulas = ["=NA()", "=1/0", "=\"\"", "=TRUE"]
        let formatted: [JSON] = [(0.25, "PERCENT", "0%"), (1.5, "TIME", "[h]:mm")].map { value, type, pattern in
            [
                "userEnteredValue": ["numberValue": JSON(value)],
                "userEnteredFormat": ["numberFormat": ["type": .string(type), "pattern": .string(pattern)]],
            ]
        }
        let cells: [JSON] =
            formulas.map { ["userEnteredValue": ["formulaValue": .string($0)]] }
            + [["userEnteredValue": ["boolValue": false]]] + formatted + [["userEnteredValue": ["stringValue": "m"]]]
        try await stage.batch(
            TrialStage.cells([cells], on: sheet, fields: "userEnteredValue,userEnteredFormat.numberFormat"),
            [
                "setDataValidation": [
                    "range": TrialStage.range(sheet, rows: 0..<1, columns: 4..<5),
                    "rule": ["condition": ["type": "BOOLEAN"]],
                ]
            ],
            ["mergeCells": ["range": TrialStage.range(sheet, rows: 0..<1, columns: 7..<9), "mergeType": "MERGE_ALL"]])
        let found = try await stage.values("A1:I1", on: sheet).first ?? []
        // Behind the name may stand more.
        let areNamed = zip(found, ["#N/A", "#DIV/0!"]).allSatisfy { $0.string?.hasPrefix($1) == true }
        return .holds(
            if: areNamed && found.dropFirst(2) == ["", true, false, 0.25, 1.5, "m"],
            "errors by their names, the others by their values",
            else: "in another way: \(found.map { $0.kind }.joined(separator: ", "))")
    }

    static let responseOfWrite = Probe(
        name: "spreadsheet in an answer", tries: "a write that asks for a range of the spreadsheet in its answer",
        restsOnIt: "a look at what stands there without another call",
        advice: "nothing: no job rests on it yet", writes: 1
    ) { stage throws(GoogleError) in
        let sheet = stage.sheetID()
        let cell: JSON = ["userEnteredValue": ["numberValue": 4]]
        let answer = try await stage.api.call(
            stage.writeThatTells([TrialStage.cells([[cell]], on: sheet)], range: "'Probe \(sheet)'!A1:A1"))
        let sheets = answer["updatedSpreadsheet"]?["sheets"]?.array ?? []
        let found = sheets.first { $0["properties"]?["sheetId"]?.int == sheet }?["data"]?[0]?["rowData"]?[0]?[
            "values"]?[
                0]
        let call = stage.calls.last
        let price = "\(call?.responseSize ?? 0) bytes in \(Self.seconds(call?.duration ?? .zero)) s"
        return .holds(
            if: found?["effectiveValue"]?["numberValue"]?.double == 4,
            "the answer shows the new cell, \(price); --quota tells whether it costs a read",
            else: "the answer does not show the new cell")
    }
}

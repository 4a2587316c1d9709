import Export
import Google
import HTTPTypes
import JSON
import SheetModel

extension Probe {
    /// Each probe in the order in which they are made: first those whose result the daemon goes by.
    static let all: [Probe] = [
        packedBodies, valuesByGridRange, takenMetadata, folderID, listDelay, callShapes, copyFromHidden, banding,
        largeWrite,
        textStaysText, links, tables, locale, errorCells, responseOfWrite, version, changes, copy, trash, share, quota,
    ]

    static let packedBodies = Probe(
        name: GoogleTraits.packedBodies, tries: "a batch whose body is compressed by gzip",
        restsOnIt: "writes a sixth as long on the wire",
        advice: "nothing: the daemon sends plain bodies from its next start on, and finds it out by itself until then",
        writes: 2
    ) { stage throws(GoogleError) in
        let sheet = stage.sheetID()
        let row: [JSON] = Array(repeating: ["userEnteredValue": ["stringValue": "compressed"]], count: 5)
        let before = stage.calls.count
        try await stage.batch(
            stage.newSheet(sheet, rows: 200), stage.cells(Array(repeating: row, count: 200), on: sheet))
        let sent = stage.calls.dropFirst(before)
        // The client tries a refused body once more as it is.
        guard sent.count == 1 else {
            return .differs("refused with HTTP \(sent.first?.status ?? 0); the same body as it is was taken")
        }
        return .holds("\(sent.first?.requestSize ?? 0) bytes were taken for some 50,000")
    }

    static let valuesByGridRange = Probe(
        name: GoogleTraits.valuesByGridRange, tries: "values.batchUpdateByDataFilter with the range of a grid",
        restsOnIt: "rows behind an export's first write go as plain values, a third as long as cells",
        advice: "nothing: the daemon sends rows as cells from its next start on, and by itself until then", writes: 2
    ) { stage throws(GoogleError) in
        let sheet = stage.sheetID()
        try await stage.batch(stage.newSheet(sheet))
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
        try await stage.batch(stage.newSheet(sheet), note)
        let isRefused = try await stage.isRefused([stage.cells([[cell]], on: sheet), note])
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
        writes: 3
    ) { stage throws(GoogleError) in
        let id = try await stage.drive.createSpreadsheet(name: "Export", parent: stage.folder.id).id
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
        tries: "rows that are copied out of a hidden sheet, which goes in the same batch",
        restsOnIt: "large replaces that nobody sees half-done and that keep the sheet's id",
        advice: "keep replaces below SHEETSYNC_BATCH_BYTES, which go as one write, or export into new spreadsheets",
        writes: 2
    ) { stage throws(GoogleError) in
        let (hidden, sheet) = (stage.sheetID(), stage.sheetID())
        try await stage.batch(
            stage.newSheet(sheet), stage.newSheet(hidden, isHidden: true),
            stage.cells([[["userEnteredValue": ["stringValue": "copied"]]]], on: hidden))
        func range(_ id: Int) -> JSON {
            [
                "sheetId": JSON(id), "startRowIndex": 0, "endRowIndex": 1, "startColumnIndex": 0, "endColumnIndex": 1,
            ]
        }
        try await stage.batch(
            [
                "updateSheetProperties": [
                    "properties": ["sheetId": JSON(hidden), "hidden": false], "fields": "hidden",
                ]
            ],
            ["copyPaste": ["source": range(hidden), "destination": range(sheet), "pasteType": "PASTE_VALUES"]],
            ["deleteSheet": ["sheetId": JSON(hidden)]])
        let found = try await stage.values("A1:A1", on: sheet)
        return .holds(
            if: found.first == ["copied"], "the rows are there, in the sheet with its old id",
            else: "the rows did not arrive")
    }

    static let banding = Probe(
        name: "banding in one batch", tries: "a banded range that is deleted and made again in one batch",
        restsOnIt: "replaces with a template, as one write",
        advice: "name a template without bands for replaces (docs/payloads.md)", writes: 2
    ) { stage throws(GoogleError) in
        let sheet = stage.sheetID()
        func band(_ id: Int) -> JSON {
            [
                "addBanding": [
                    "bandedRange": [
                        "bandedRangeId": JSON(id),
                        "range": [
                            "sheetId": JSON(sheet), "startRowIndex": 0, "endRowIndex": 5, "startColumnIndex": 0,
                            "endColumnIndex": 3,
                        ],
                        "rowProperties": [
                            "firstBandColorStyle": ["rgbColor": ["red": 1]],
                            "secondBandColorStyle": ["rgbColor": ["green": 1]],
                        ],
                    ]
                ]
            ]
        }
        try await stage.batch(stage.newSheet(sheet), band(500_000 + sheet))
        try await stage.batch(
            ["deleteBanding": ["bandedRangeId": JSON(500_000 + sheet)]], band(600_000 + sheet))
        return .holds("taken")
    }

    static let largeWrite = Probe(
        name: "size of a write", tries: "one write of 8 MB, and where that is refused of 4 and 2 MB",
        restsOnIt: "SHEETSYNC_BATCH_BYTES (8,000,000 unless set), the rows that one write brings",
        advice: "set SHEETSYNC_BATCH_BYTES to the size that was taken", writes: 4
    ) { stage throws(GoogleError) in
        let sheet = stage.sheetID()
        try await stage.batch(stage.newSheet(sheet, rows: 2_000, columns: 1))
        for megabytes in [8, 4, 2] {
            let text = JSON.string(String(repeating: "x", count: 40_000))
            let values = Array(repeating: JSON.array([text]), count: megabytes * 25)
            let body: JSON = [
                "valueInputOption": "RAW",
                "data": [
                    [
                        "majorDimension": "ROWS", "values": .array(values),
                        "dataFilter": [
                            "gridRange": [
                                "sheetId": JSON(sheet), "startRowIndex": 0, "endRowIndex": JSON(values.count),
                                "startColumnIndex": 0, "endColumnIndex": 1,
                            ]
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
            let seconds = ((ContinuousClock.now - start) / .milliseconds(100)).rounded() / 10
            return .holds(
                if: megabytes == 8, "8 MB were taken in \(seconds) s", else: "no more than \(megabytes) MB were taken")
        }
        return .differs("not even 2 MB were taken")
    }

    static let textStaysText = Probe(
        name: "text stays text",
        tries: "values that look like a formula, a number and a date, entered as they are (RAW)",
        restsOnIt: "that no text of yours becomes a formula",
        advice: "stop exports of what strangers wrote, and report it with this trial's --json", writes: 2
    ) { stage throws(GoogleError) in
        let sheet = stage.sheetID()
        try await stage.batch(
            stage.newSheet(sheet), stage.cells([[["userEnteredValue": ["stringValue": "=1+1"]]]], on: sheet))
        let texts: [JSON] = ["=1+1", "007", "2026-01-02", "TRUE", "'x"]
        let body: JSON = [
            "valueInputOption": "RAW",
            "data": [["range": .string("'Probe \(sheet)'!A2:E2"), "values": [.array(texts)]]],
        ]
        _ = try await stage.api.call(
            APIRequest(
                .sheets, .post, "\(APIRequest.sheetsPath(stage.spreadsheetID))/values:batchUpdate",
                fields: "totalUpdatedCells", body: body.bytes))
        let found = try await stage.values("A1:E2", on: sheet)
        return .holds(
            if: found == [["=1+1"], texts], "all of it reads back as the same text",
            else: "some of it reads back as something else")
    }

    static let links = Probe(
        name: "links", tries: "a cell whose format has a link", restsOnIt: "columns of the type link",
        advice: "give the column the type formula with HYPERLINK, or text", writes: 1
    ) { stage throws(GoogleError) in
        let sheet = stage.sheetID()
        try await stage.batch(
            stage.newSheet(sheet),
            stage.cells(
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
        advice: "export beside tables, not into them", writes: 2
    ) { stage throws(GoogleError) in
        let sheet = stage.sheetID()
        let id = "trial_\(sheet)"
        func range(_ rows: Range<Int>) -> JSON {
            [
                "sheetId": JSON(sheet), "startRowIndex": JSON(rows.lowerBound), "endRowIndex": JSON(rows.upperBound),
                "startColumnIndex": 0, "endColumnIndex": 2,
            ]
        }
        let header: [JSON] = ["a", "b"].map { ["userEnteredValue": ["stringValue": $0]] }
        try await stage.batch(
            stage.newSheet(sheet), stage.cells([header], on: sheet),
            ["addTable": ["table": ["tableId": .string(id), "name": .string(id), "range": range(0..<3)]]])
        try await stage.batch(
            ["insertRange": ["range": range(3..<5), "shiftDimension": "ROWS"]],
            ["updateTable": ["table": ["tableId": .string(id), "range": range(0..<5)], "fields": "range"]])
        let found = try await stage.sheets.spreadsheet(
            stage.spreadsheetID, fields: "sheets(properties.sheetId,tables(tableId,range))")
        let tables = (found["sheets"]?.array ?? []).flatMap { $0["tables"]?.array ?? [] }
        let end = tables.first { $0["tableId"]?.string == id }?["range"]?["endRowIndex"]?.int
        return .holds(if: end == 5, "it has grown", else: "it has not grown")
    }

    static let locale = Probe(
        name: "locale and zone", tries: "a spreadsheet that is given a locale and a time zone",
        restsOnIt: "the payload's locale and time_zone",
        advice: "leave out locale and time_zone, and set them in a spreadsheet that copy_of names", writes: 2
    ) { stage throws(GoogleError) in
        let id = try await stage.drive.createSpreadsheet(name: "Locale", parent: stage.folder.id).id
        try await stage.batch(
            [
                [
                    "updateSpreadsheetProperties": [
                        "properties": ["locale": "de_DE", "timeZone": "Asia/Tokyo"], "fields": "locale,timeZone",
                    ]
                ]
            ], to: id)
        let found = try await stage.sheets.spreadsheet(id, fields: "properties(locale,timeZone)")["properties"]
        return .holds(
            if: found?["locale"]?.string == "de_DE" && found?["timeZone"]?.string == "Asia/Tokyo",
            "it has them", else: "it has others")
    }

    static let errorCells = Probe(
        name: "cells with errors", tries: "how values show a cell whose formula fails, a ticked box and an empty text",
        restsOnIt: "what upserts read of the keys that are there",
        advice: "report it with this trial's --json, and keep formulas out of key columns", writes: 1
    ) { stage throws(GoogleError) in
        let sheet = stage.sheetID()
        let formulas = ["=NA()", "=1/0", "=\"\"", "=TRUE"]
        try await stage.batch(
            stage.newSheet(sheet),
            stage.cells([formulas.map { ["userEnteredValue": ["formulaValue": .string($0)]] }], on: sheet))
        let found = try await stage.values("A1:D1", on: sheet).first ?? []
        // Behind the name may stand more.
        let names = ["#N/A", "#DIV/0!"]
        let areNamed = zip(found, names).allSatisfy { $0.string?.hasPrefix($1) == true }
        return .holds(
            if: found.count == 4 && areNamed && found[2] == "" && found[3] == true,
            "errors by their names, the others by their values",
            else: "in another way: \(found.map { $0.kind }.joined(separator: ", "))")
    }

    static let responseOfWrite = Probe(
        name: "spreadsheet in an answer", tries: "a write that asks for a range of the spreadsheet in its answer",
        restsOnIt: "a look at what stands there without another call",
        advice: "nothing: no job rests on it yet", writes: 1
    ) { stage throws(GoogleError) in
        let sheet = stage.sheetID()
        let body: JSON = [
            "requests": [stage.newSheet(sheet), stage.cells([[["userEnteredValue": ["numberValue": 4]]]], on: sheet)],
            "includeSpreadsheetInResponse": true, "responseIncludeGridData": true,
            "responseRanges": [.string("'Probe \(sheet)'!A1:A1")],
        ]
        let answer = try await stage.api.call(
            APIRequest(
                .sheets, .post, "\(APIRequest.sheetsPath(stage.spreadsheetID)):batchUpdate",
                fields: "updatedSpreadsheet.sheets(properties.sheetId,data.rowData.values.effectiveValue)",
                body: body.bytes))
        let sheets = answer["updatedSpreadsheet"]?["sheets"]?.array ?? []
        let cell = sheets.first { $0["properties"]?["sheetId"]?.int == sheet }?["data"]?[0]?["rowData"]?[0]?["values"]?[
            0]
        return .holds(
            if: cell?["effectiveValue"]?["numberValue"]?.double == 4, "the answer shows the new cell",
            else: "the answer does not show the new cell")
    }

    static let quota = Probe(
        name: "write quota", tries: "writes one after another until Google refuses one",
        restsOnIt: "the whole quota is used, and what Google says when it is used up",
        advice: "set SHEETSYNC_SHEETS_WRITES_PER_MINUTE_USER to what was seen", writes: 0, isOnRequest: true
    ) { stage throws(GoogleError) in
        let most = stage.writesPerMinute + 10
        let sheets = SheetsClient(api: stage.pastGate)
        let body: JSON = [
            "requests": [["updateSpreadsheetProperties": ["properties": ["title": "Trial"], "fields": "title"]]]
        ]
        let start = ContinuousClock.now
        for number in 1...most {
            do throws(GoogleError) {
                _ = try await sheets.batchUpdate(stage.spreadsheetID, body: body.bytes)
            } catch {
                guard error.code == .rateLimited else { throw error }
                guard let quota = error.quota, let value = quota.value else {
                    return .differs("refused at number \(number) without the name of the quota")
                }
                let window = quota.windowStart == nil ? "does not name" : "names"
                let words =
                    "refused at number \(number): \(quota.name) is \(value), and the answer \(window) when the window began"
                guard quota.isPerUser else { return .holds(words) }
                return .holds(if: value == stage.writesPerMinute, words, else: words)
            }
        }
        let seconds = Int((ContinuousClock.now - start) / .seconds(1))
        guard seconds < 55 else {
            return .notTried("\(most) writes took \(seconds) s, too long to use a minute's quota up")
        }
        return .differs("\(most) writes in \(seconds) s were taken")
    }
}

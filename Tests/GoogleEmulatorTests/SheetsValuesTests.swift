import Foundation
import GoogleEmulator
import JSON
import Testing

@Suite(.timeLimit(.minutes(2))) struct SheetsValuesTests {
    private static func put(
        _ client: Client, _ id: String, _ range: String, _ values: JSON, _ option: String = "RAW",
        _ query: [String: String] = [:]
    ) async throws -> Client.Answer {
        try await client.call(
            "PUT", "/v4/spreadsheets/\(id)/values/\(Client.encode(range))",
            ["valueInputOption": option].merging(query) { $1 }, ["values": values])
    }

    private static func get(
        _ client: Client, _ id: String, _ range: String, _ query: [String: String] = [:]
    ) async throws -> JSON {
        try await client.get("/v4/spreadsheets/\(id)/values/\(Client.encode(range))", query).json["values"] ?? .null
    }

    @Test func writesWithoutReadingMeaningIntoText() async throws {
        try await Client.run { client in
            let id = try await client.makeSpreadsheet()
            let answer = try await Self.put(client, id, "A1:C2", [["=1+1", nil, 1.5], ["007", true, ""]])
            #expect(
                answer.json == [
                    "spreadsheetId": .string(id), "updatedRange": "Sheet1!A1:C2", "updatedRows": 2,
                    "updatedColumns": 3, "updatedCells": 5,
                ])
            let values = try await Self.get(client, id, "Sheet1", ["valueRenderOption": "UNFORMATTED_VALUE"])
            #expect(values == [["=1+1", "", 1.5], ["007", true]])
            let nulls = try await Self.put(client, id, "A1", [[nil, nil, "x", nil]])
            #expect(nulls.json["updatedRange"] == "Sheet1!A1:D1")
            #expect(nulls.json["updatedColumns"] == 1)
            #expect(nulls.json["updatedCells"] == 1)
            let columns = try await client.call(
                "PUT", "/v4/spreadsheets/\(id)/values/E1", ["valueInputOption": "RAW"],
                ["majorDimension": "COLUMNS", "range": "E1", "values": [[1, 2], [3]]])
            #expect(columns.json["updatedRange"] == "Sheet1!E1:F2")
            let byColumns = try await Self.get(client, id, "E1:F2", ["majorDimension": "COLUMNS"])
            #expect(byColumns == [["1", "2"], ["3"]])
        }
    }

    @Test func readsMeaningIntoWhatAPersonTypes() async throws {
        try await Client.run { client in
            let id = try await client.makeSpreadsheet()
            let answer = try await Self.put(
                client, id, "A1",
                [["=4/2", "2020-01-01", "50%", "$1,234.50", "'007", "TRUE", "=SUM(A1:C1)", "=X9X()"]],
                "USER_ENTERED", ["includeValuesInResponse": "true", "responseValueRenderOption": "UNFORMATTED_VALUE"])
            #expect(answer.json["updatedData"]?["values"] == [[2, 43831, 0.5, 1234.5, "007", true, 43833.5, "#NAME?"]])
            let shown = try await Self.get(client, id, "A1:H1")
            #expect(shown == [["2", "2020-01-01", "50%", "$1,234.50", "007", "TRUE", "43833.5", "#NAME?"]])
            let formulas = try await Self.get(client, id, "A1:B1", ["valueRenderOption": "FORMULA"])
            #expect(formulas == [["=4/2", 43831]])
            let dates = try await Self.get(
                client, id, "B1:C1",
                ["valueRenderOption": "UNFORMATTED_VALUE", "dateTimeRenderOption": "FORMATTED_STRING"])
            #expect(dates == [["2020-01-01", 0.5]])
            let cells = try await client.get(
                "/v4/spreadsheets/\(id)",
                ["ranges": "A1", "fields": "sheets.data.rowData.values(userEnteredValue,effectiveValue)"])
            #expect(
                cells.json["sheets"]?[0]?["data"]?[0]?["rowData"]?[0]?["values"]?[0]
                    == ["userEnteredValue": ["formulaValue": "=4/2"], "effectiveValue": ["numberValue": 2]])
        }
    }

    @Test func refusesValuesInGooglesWords() async throws {
        try await Client.run { client in
            let id = try await client.makeSpreadsheet("T")
            let cases: [(String, JSON, String, String)] = [
                ("NOPE!A1", [["x"]], "RAW", "Unable to parse range: NOPE!A1"),
                (
                    "A1:B2", [["a", "b", "c"]], "RAW",
                    "Requested writing within range [Sheet1!A1:B2], but tried writing to column [C]"
                ),
                (
                    "A1:B2", [[1], [2], [3]], "RAW",
                    "Requested writing within range [Sheet1!A1:B2], but tried writing to row [3]"
                ),
                (
                    "A1000", [["a"], ["b"]], "RAW",
                    "Requested writing within range [Sheet1!A1000], but tried writing to row [1001]"
                ),
                (
                    "AP1:AW1", [["x"]], "RAW",
                    "Range (Sheet1!AP1:AW1) exceeds grid limits. Max rows: 1000, max columns: 26"
                ),
                ("A1", [["x"]], "INPUT_VALUE_OPTION_UNSPECIFIED", "'valueInputOption' is required but not specified"),
                (
                    "A1", [[.string(String(repeating: "a", count: 50_001))]], "RAW",
                    "Your input contains more than the maximum of 50000 characters in a single cell."
                ),
                (
                    "A1", "A1:D4", "RAW",
                    "Invalid value at 'data.values' (type.googleapis.com/google.protobuf.ListValue), \"A1:D4\""
                ),
            ]
            for (range, values, option, message) in cases {
                let answer = try await Self.put(client, id, range, values, option)
                #expect(answer.status == 400)
                #expect(answer.message == message)
            }
        }
    }

    @Test func appendsBelowTheTable() async throws {
        try await Client.run { client in
            let id = try await client.makeSpreadsheet()
            func append(_ range: String, _ values: JSON, _ query: [String: String] = [:]) async throws -> JSON {
                try await client.call(
                    "POST", "/v4/spreadsheets/\(id)/values/\(Client.encode(range)):append",
                    ["valueInputOption": "RAW"].merging(query) { $1 }, ["values": values]
                ).json
            }
            let first = try await append("Sheet1", [["a", "", "c"]])
            #expect(first["tableRange"] == nil)
            #expect(first["updates"]?["updatedRange"] == "Sheet1!A1:C1")
            let second = try await append("A1", [["d", "e", "f"]])
            #expect(second["tableRange"] == "Sheet1!A1")
            #expect(second["updates"]?["updatedRange"] == "Sheet1!A2:C2")
            _ = try await Self.put(client, id, "A5", [["below"]])
            let third = try await append("A1:C2", [["g"]], ["insertDataOption": "INSERT_ROWS"])
            #expect(third["tableRange"] == "Sheet1!A1:C2")
            #expect(third["updates"]?["updatedRange"] == "Sheet1!A3")
            let values = try await Self.get(client, id, "A:A")
            #expect(values == [["a"], ["d"], ["g"], [], [], ["below"]])
            _ = try await Self.put(client, id, "A1000", [["last"]])
            let last = try await append("A1000", [["beyond"]])
            #expect(last["updates"]?["updatedRange"] == "Sheet1!A1001")
        }
    }

    @Test func worksInBatches() async throws {
        try await Client.run { client in
            let id = try await client.makeSpreadsheet()
            let answer = try await client.call(
                "POST", "/v4/spreadsheets/\(id)/values:batchUpdate", [:],
                [
                    "valueInputOption": "USER_ENTERED",
                    "data": [
                        ["range": "A1:B1", "values": [["1", "=A1+1"]]], ["range": "Sheet1!A3", "values": [["x"]]],
                    ],
                ])
            #expect(answer.json["totalUpdatedCells"] == 3)
            #expect(answer.json["totalUpdatedSheets"] == 1)
            #expect(answer.json["responses"]?[1]?["updatedRange"] == "Sheet1!A3")
            let bad = try await client.call(
                "POST", "/v4/spreadsheets/\(id)/values:batchUpdate", [:],
                [
                    "valueInputOption": "RAW",
                    "data": [["range": "A1", "values": [["lost"]]], ["range": "NoSuchTab!A1", "values": [[1]]]],
                ])
            #expect(bad.message == "Invalid data[1]: Unable to parse range: NoSuchTab!A1")
            let read = try await client.get("/v4/spreadsheets/\(id)/values:batchGet?ranges=A1:B1&ranges=A3:A4")
            #expect(read.json["valueRanges"]?[0]?["values"] == [["1", "2"]])
            #expect(
                read.json["valueRanges"]?[1] == ["range": "Sheet1!A3:A4", "majorDimension": "ROWS", "values": [["x"]]])
            let clear = try await client.call(
                "POST", "/v4/spreadsheets/\(id)/values:batchClear", [:], ["ranges": ["A1", "Sheet1!A3:B3"]])
            #expect(clear.json["clearedRanges"] == ["Sheet1!A1", "Sheet1!A3:B3"])
            let one = try await client.call("POST", "/v4/spreadsheets/\(id)/values/Sheet1:clear", [:], [:])
            #expect(one.json["clearedRange"] == "Sheet1!A1:Z1000")
            let rest = try await Self.get(client, id, "Sheet1")
            #expect(rest == .null)
        }
    }

    /// A note that is made with the rows makes the same batch fail a second time, rows and all.
    @Test func rowsThatComeWithAnIDThatIsTakenAreNotAppended() async throws {
        try await Client.run { client in
            let id = try await client.makeSpreadsheet()
            _ = try await Self.put(client, id, "B2", [["a"]])
            func append(_ value: String, note: Int, without old: Int? = nil) async throws -> Client.Answer {
                var requests: [JSON] = [
                    [
                        "appendCells": [
                            "fields": "userEnteredValue",
                            "rows": [["values": [["userEnteredValue": ["stringValue": .string(value)]]]]],
                        ]
                    ],
                    [
                        "createDeveloperMetadata": [
                            "developerMetadata": [
                                "metadataId": JSON(note), "metadataKey": "k", "metadataValue": .string(value),
                                "visibility": "PROJECT", "location": ["sheetId": 0],
                            ]
                        ]
                    ],
                ]
                if let old {
                    requests.append([
                        "deleteDeveloperMetadata": [
                            "dataFilter": ["developerMetadataLookup": ["metadataId": JSON(old)]]
                        ]
                    ])
                }
                return try await client.batch(id, requests)
            }
            #expect(try await append("b", note: 5).status == 200)
            let again = try await append("b", note: 5)
            #expect(again.status == 400 && again.message?.contains("requests[1].createDeveloperMetadata") == true)
            // One that is gone is no error.
            #expect(try await append("c", note: 6, without: 4).status == 200)
            #expect(try await append("d", note: 7, without: 5).status == 200)
            #expect(try await Self.get(client, id, "A1:B9") == [[], ["", "a"], ["b"], ["c"], ["d"]])
            let shown = try await client.get(
                "/v4/spreadsheets/\(id)", ["fields": "sheets(developerMetadata(metadataId,metadataValue))"])
            #expect(
                shown.json["sheets"]?[0]?["developerMetadata"] == [
                    ["metadataId": 6, "metadataValue": "c"], ["metadataId": 7, "metadataValue": "d"],
                ])
        }
    }

    @Test func findsRowsByTheirMetadata() async throws {
        try await Client.run { client in
            let id = try await client.makeSpreadsheet()
            _ = try await Self.put(client, id, "A1", [["a"], ["b"], ["c"]])
            let made = try await client.batch(
                id,
                [
                    [
                        "createDeveloperMetadata": [
                            "developerMetadata": [
                                "metadataId": 77, "metadataKey": "key", "metadataValue": "b", "visibility": "DOCUMENT",
                                "location": ["dimensionRange": ["dimension": "ROWS", "startIndex": 1, "endIndex": 2]],
                            ]
                        ]
                    ],
                    ["insertDimension": ["range": ["dimension": "ROWS", "startIndex": 0, "endIndex": 2]]],
                ])
            #expect(made.status == 200, "\(made.text)")
            let lookup: JSON = ["developerMetadataLookup": ["metadataKey": "key", "metadataValue": "b"]]
            let written = try await client.call(
                "POST", "/v4/spreadsheets/\(id)/values:batchUpdateByDataFilter", [:],
                ["valueInputOption": "RAW", "data": [["dataFilter": lookup, "values": [["B"]]]]])
            #expect(written.json["responses"]?[0]?["updatedRange"] == "Sheet1!A4")
            let read = try await client.call(
                "POST", "/v4/spreadsheets/\(id)/values:batchGetByDataFilter", [:], ["dataFilters": [lookup]])
            #expect(read.json["valueRanges"]?[0]?["valueRange"]?["values"] == [["B"]])
            #expect(read.json["valueRanges"]?[0]?["valueRange"]?["range"] == "Sheet1!A4:Z4")
            let found = try await client.call(
                "POST", "/v4/spreadsheets/\(id)/developerMetadata:search", [:], ["dataFilters": [lookup]])
            #expect(found.json["matchedDeveloperMetadata"]?[0]?["developerMetadata"]?["metadataId"] == 77)
            let one = try await client.get("/v4/spreadsheets/\(id)/developerMetadata/77")
            #expect(one.json["location"]?["dimensionRange"]?["startIndex"] == 3)
            let none = try await client.get("/v4/spreadsheets/\(id)/developerMetadata/78")
            #expect(none.status == 404)
            let sheet = try await client.call(
                "POST", "/v4/spreadsheets/\(id):getByDataFilter", [:],
                ["dataFilters": [lookup], "includeGridData": true])
            #expect(sheet.json["sheets"]?[0]?["data"]?[0]?["startRow"] == 3)
            let cleared = try await client.call(
                "POST", "/v4/spreadsheets/\(id)/values:batchClearByDataFilter", [:],
                ["dataFilters": [["gridRange": ["startRowIndex": 2, "endRowIndex": 3]], ["a1Range": "A4"]]])
            #expect(cleared.json["clearedRanges"] == ["Sheet1!A3:Z3", "Sheet1!A4"])
            let left = try await Self.get(client, id, "A:A")
            #expect(left == [[], [], [], [], ["c"]])
            let changed = try await client.batch(
                id,
                [
                    [
                        "updateDeveloperMetadata": [
                            "dataFilters": [lookup], "developerMetadata": ["metadataValue": "z"],
                            "fields": "metadataValue",
                        ]
                    ], ["deleteDeveloperMetadata": ["dataFilter": ["developerMetadataLookup": ["metadataId": 77]]]],
                ])
            #expect(
                changed.json["replies"]?[0]?["updateDeveloperMetadata"]?["developerMetadata"]?[0]?["metadataValue"]
                    == "z")
            #expect(
                changed.json["replies"]?[1]?["deleteDeveloperMetadata"]?["deletedDeveloperMetadata"]?.array?.count == 1)
        }
    }

    @Test func createsAndCopies() async throws {
        try await Client.run { client in
            let created = try await client.call(
                "POST", "/v4/spreadsheets", [:],
                [
                    "properties": ["title": "Made", "locale": "de_DE"],
                    "sheets": [
                        [
                            "properties": ["title": "One", "gridProperties": ["rowCount": 5, "columnCount": 3]],
                            "data": [
                                [
                                    "startRow": 1,
                                    "rowData": [
                                        [
                                            "values": [
                                                [
                                                    "userEnteredValue": ["stringValue": "x"],
                                                    "userEnteredFormat": ["textFormat": ["bold": true]],
                                                ]
                                            ]
                                        ]
                                    ],
                                    "columnMetadata": [["pixelSize": 50]],
                                ]
                            ],
                            "merges": [
                                ["startRowIndex": 3, "endRowIndex": 4, "startColumnIndex": 0, "endColumnIndex": 2]
                            ],
                        ], ["properties": ["sheetId": 9, "title": "Two"]],
                    ],
                ])
            #expect(created.status == 200, "\(created.text)")
            let id = try #require(created.json["spreadsheetId"]?.string)
            #expect(created.json["sheets"]?[0]?["properties"]?["sheetId"] == 0)
            #expect(created.json["sheets"]?[0]?["merges"]?[0]?["endColumnIndex"] == 2)
            let file = try await client.get("/drive/v3/files/\(id)")
            #expect(file.json["name"] == "Made")
            let values = try await Self.get(client, id, "One!A1:A3")
            #expect(values == [[], ["x"]])
            let other = try await client.makeSpreadsheet("Other")
            let copy = try await client.call(
                "POST", "/v4/spreadsheets/\(id)/sheets/0:copyTo", [:], ["destinationSpreadsheetId": .string(other)])
            #expect(copy.json["title"] == "Copy of One")
            #expect(copy.json["index"] == 1)
            let copied = try await client.get(
                "/v4/spreadsheets/\(other)",
                ["ranges": "'Copy of One'!A2", "fields": "sheets.data.rowData.values.userEnteredFormat"])
            #expect(
                copied.json["sheets"]?[0]?["data"]?[0]?["rowData"]?[0]?["values"]?[0]?["userEnteredFormat"]?[
                    "textFormat"]?["bold"] == true)
            let missing = try await client.call(
                "POST", "/v4/spreadsheets/\(id)/sheets/5:copyTo", [:], ["destinationSpreadsheetId": .string(other)])
            #expect(missing.message == "No sheet with id: 5")
        }
    }

    @Test func readsAllFormsOfRanges() async throws {
        try await Client.run { client in
            let id = try await client.makeSpreadsheet()
            _ = try await client.batch(
                id,
                [
                    [
                        "addSheet": [
                            "properties": ["title": "It's a1", "gridProperties": ["rowCount": 3, "columnCount": 3]]
                        ]
                    ],
                    [
                        "addNamedRange": [
                            "namedRange": ["name": "corner", "range": ["endRowIndex": 2, "endColumnIndex": 2]]
                        ]
                    ],
                ])
            for (text, range) in [
                ("'It''s a1'", "'It''s a1'!A1:C3"), ("It's a1!B:B", "'It''s a1'!B1:B3"),
                ("'IT''S A1'!2:2", "'It''s a1'!A2:C2"),
                ("A1:1", "Sheet1!A1:Z1"), ("B2:B", "Sheet1!B2:B1000"), ("R2C3", "Sheet1!C2"),
                ("R1C1:R2C2", "Sheet1!A1:B2"),
                ("corner", "Sheet1!A1:B2"), ("$A$1", "Sheet1!A1"), ("A990:B2000", "Sheet1!A990:B1000"),
            ] {
                let answer = try await client.get("/v4/spreadsheets/\(id)/values/\(Client.encode(text))")
                #expect(answer.json["range"]?.string == range)
            }
        }
    }
}

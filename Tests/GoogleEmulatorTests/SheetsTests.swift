import Foundation
import GoogleEmulator
import JSON
import Testing

@Suite(.timeLimit(.minutes(2))) struct SheetsTests {
    /// A request that writes rows of texts and numbers from a cell on.
    private static func write(_ rows: [[JSON]], row: Int = 0, column: Int = 0, sheet: Int = 0) -> JSON {
        [
            "updateCells": [
                "start": ["sheetId": JSON(sheet), "rowIndex": JSON(row), "columnIndex": JSON(column)],
                "fields": "userEnteredValue",
                "rows": .array(
                    rows.map { row in
                        [
                            "values": .array(
                                row.map { value in
                                    switch value {
                                    case .string: ["userEnteredValue": ["stringValue": value]]
                                    case .bool: ["userEnteredValue": ["boolValue": value]]
                                    case .number: ["userEnteredValue": ["numberValue": value]]
                                    default: [:]
                                    }
                                })
                        ]
                    }),
            ]
        ]
    }

    private static func values(_ client: Client, _ id: String, _ range: String, _ query: [String: String] = [:])
        async throws -> JSON
    {
        let answer = try await client.get("/v4/spreadsheets/\(id)/values/\(Client.encode(range))", query)
        return answer.json["values"] ?? .null
    }

    @Test func beginsAsDriveMakesIt() async throws {
        try await Client.run { client in
            let id = try await client.makeSpreadsheet("Fresh")
            let answer = try await client.get("/v4/spreadsheets/\(id)")
            #expect(answer.json["spreadsheetId"]?.string == id)
            #expect(answer.json["properties"]?["title"] == "Fresh")
            #expect(answer.json["properties"]?["locale"] == "en_US")
            #expect(
                answer.json["sheets"] == [
                    [
                        "properties": [
                            "sheetId": 0, "title": "Sheet1", "index": 0, "sheetType": "GRID",
                            "gridProperties": ["rowCount": 1000, "columnCount": 26],
                        ]
                    ]
                ])
            #expect(answer.json["spreadsheetUrl"]?.string == client.baseURL + "/spreadsheets/d/\(id)/edit")
            let unknown = try await client.get("/v4/spreadsheets/unknown")
            #expect(
                unknown.json == [
                    "error": ["code": 404, "message": "Requested entity was not found.", "status": "NOT_FOUND"]
                ])
        }
    }

    @Test func writesAndReadsValuesOfAllTypes() async throws {
        try await Client.run { client in
            let id = try await client.makeSpreadsheet()
            let answer = try await client.batch(
                id, [Self.write([["a", 1.5, true], ["=1+1", nil, "ü€😀"]]), Self.write([["x"]], row: 4, column: 2)])
            #expect(answer.json["replies"] == [[:], [:]])
            #expect(answer.json["spreadsheetId"]?.string == id)
            let raw = ["valueRenderOption": "UNFORMATTED_VALUE"]
            let all = try await Self.values(client, id, "Sheet1", raw)
            #expect(all == [["a", 1.5, true], ["=1+1", "", "ü€😀"], [], [], ["", "", "x"]])
            let formatted = try await Self.values(client, id, "A1:C1")
            #expect(formatted == [["a", "1.5", "TRUE"]])
            let columns = try await Self.values(
                client, id, "Sheet1!A:B", raw.merging(["majorDimension": "COLUMNS"]) { $1 })
            #expect(columns == [["a", "=1+1"], [1.5]])
            let range = try await client.get("/v4/spreadsheets/\(id)/values/B:C")
            #expect(range.json["range"] == "Sheet1!B1:C1000")
            // A text that begins like a formula stays a text.
            let state = client.emulator.state(spreadsheetID: id)
            #expect(state["spreadsheets"]?[0]?["sheets"]?[0]?["values"]?[1]?[0] == "=1+1")
        }
    }

    @Test func aBadRequestUndoesItsWholeBatch() async throws {
        try await Client.run { client in
            let id = try await client.makeSpreadsheet("Before")
            let answer = try await client.batch(
                id,
                [
                    ["updateSpreadsheetProperties": ["properties": ["title": "After"], "fields": "title"]],
                    Self.write([["lost"]]),
                    Self.write([["x"]], sheet: 999_999),
                ])
            #expect(answer.status == 400)
            #expect(answer.message == "Invalid requests[2].updateCells: No grid with id: 999999")
            #expect(answer.json["error"]?["status"] == "INVALID_ARGUMENT")
            let values = try await Self.values(client, id, "A1")
            #expect(values == .null)
            let title = try await client.get("/drive/v3/files/\(id)")
            #expect(title.json["name"] == "Before")
        }
    }

    @Test func mergesFormatsByTheirMask() async throws {
        try await Client.run { client in
            let id = try await client.makeSpreadsheet()
            let header: JSON = ["sheetId": 0, "startRowIndex": 0, "endRowIndex": 1]
            let answer = try await client.batch(
                id,
                [
                    [
                        "repeatCell": [
                            "range": header, "fields": "userEnteredFormat(textFormat.bold,backgroundColor)",
                            "cell": [
                                "userEnteredFormat": [
                                    "textFormat": ["bold": true, "italic": true],
                                    "backgroundColor": ["red": 1, "green": 0.5, "blue": 0],
                                ]
                            ],
                        ]
                    ],
                    [
                        "repeatCell": [
                            "range": ["sheetId": 0, "startColumnIndex": 1, "endColumnIndex": 99],
                            "fields": "userEnteredFormat.numberFormat",
                            "cell": ["userEnteredFormat": ["numberFormat": ["type": "PERCENT", "pattern": "0.0%"]]],
                        ]
                    ],
                    Self.write([["head", 0.256]]),
                ])
            #expect(answer.status == 200, "\(answer.text)")
            let state = client.emulator.state(spreadsheetID: id, formatRanges: ["A1:B2"])
            let formats = state["spreadsheets"]?[0]?["formats"]?["A1:B2"]
            let color: JSON = ["red": 1, "green": 0.5]
            #expect(
                formats?[0]?[0] == [
                    "textFormat": ["bold": true], "backgroundColor": color,
                    "backgroundColorStyle": ["rgbColor": color],
                ])
            #expect(formats?[0]?[1]?["numberFormat"]?["pattern"] == "0.0%")
            #expect(formats?[0]?[1]?["textFormat"]?["bold"] == true)
            #expect(formats?[1]?[0] == [:])
            let shown = try await Self.values(client, id, "A1:B1")
            #expect(shown == [["head", "25.6%"]])
            let data = try await client.get(
                "/v4/spreadsheets/\(id)",
                [
                    "ranges": "A1:B1",
                    "fields": "sheets.data.rowData.values(formattedValue,effectiveFormat.textFormat.bold)",
                ])
            #expect(
                data.json["sheets"]?[0]?["data"]?[0]?["rowData"]?[0]?["values"]?[1]
                    == ["formattedValue": "25.6%", "effectiveFormat": ["textFormat": ["bold": true]]])
        }
    }

    @Test func clearsWhatARangeDoesNotFill() async throws {
        try await Client.run { client in
            let id = try await client.makeSpreadsheet()
            _ = try await client.batch(id, [Self.write([["a", "b", "c"], ["d", "e", "f"], ["g", "h", "i"]])])
            let clear: JSON = [
                "updateCells": [
                    "range": [
                        "sheetId": 0, "startRowIndex": 0, "endRowIndex": 2, "startColumnIndex": 0, "endColumnIndex": 2,
                    ],
                    "fields": "userEnteredValue", "rows": [["values": [["userEnteredValue": ["stringValue": "A"]]]]],
                ]
            ]
            _ = try await client.batch(id, [clear])
            let values = try await Self.values(client, id, "A1:C3")
            #expect(values == [["A", "", "c"], ["", "", "f"], ["g", "h", "i"]])
            _ = try await client.batch(id, [["updateCells": ["range": ["sheetId": 0], "fields": "*"]]])
            let empty = try await Self.values(client, id, "A1:C3")
            #expect(empty == .null)
        }
    }

    @Test(arguments: [
        (
            #"{"updateCells":{"start":{"columnIndex":25},"rows":[{"values":[{},{}]}],"fields":"*"}}"#,
            "updateCells: Attempting to write column: 26, beyond the last requested column of: 25"
        ),
        (
            #"{"updateCells":{"start":{"rowIndex":999},"rows":[{},{}],"fields":"*"}}"#,
            "updateCells: Attempting to write row: 1000, beyond the last requested row of: 999"
        ),
        (
            #"{"updateCells":{"range":{"endRowIndex":1},"rows":[{},{}],"fields":"*"}}"#,
            "updateCells: Attempting to write row: 1, beyond the last requested row of: 0"
        ),
        (
            #"{"updateCells":{"range":{"sheetId":0}}}"#,
            "updateCells: At least one field must be listed in 'fields'. (Use '*' to indicate all fields.)"
        ),
        (
            #"{"repeatCell":{"range":{"startColumnIndex":26,"endColumnIndex":27,"endRowIndex":2},"cell":{},"fields":"*"}}"#,
            "repeatCell: Range (Sheet1!AA1:AA2) exceeds grid limits. Max rows: 1000, max columns: 26"
        ),
        (
            #"{"addSheet":{"properties":{"title":"sheet1"}}}"#,
            "addSheet: A sheet with the name \"sheet1\" already exists. Please enter another name."
        ),
        (#"{"addSheet":{"properties":{"sheetId":0}}}"#, "addSheet: A sheet with the id 0 already exists."),
        (
            #"{"addSheet":{"properties":{"gridProperties":{"rowCount":1000000,"columnCount":10}}}}"#,
            "addSheet: This action would increase the number of cells in the workbook above the limit of 10000000 cells."
        ),
        (#"{"deleteSheet":{"sheetId":0}}"#, "deleteSheet: You can't remove all the sheets in a document."),
        (#"{"deleteSheet":{"sheetId":5}}"#, "deleteSheet: No sheet with id: 5"),
        (
            #"{"updateSheetProperties":{"properties":{"hidden":true},"fields":"hidden"}}"#,
            "updateSheetProperties: You can't hide all the sheets in a document."
        ),
        (
            #"{"updateSheetProperties":{"properties":{"gridProperties":{"frozenRowCount":1000}},"fields":"gridProperties/frozenRowCount"}}"#,
            "updateSheetProperties: You can't freeze all visible rows on the sheet."
        ),
        (#"{"deleteBanding":{"bandedRangeId":3}}"#, "deleteBanding: No banded range with id: 3"),
    ])
    func refusesInGooglesWords(request: String, message: String) async throws {
        try await Client.run { client in
            let id = try await client.makeSpreadsheet()
            let answer = try await client.batch(id, [try JSON(parsing: request)])
            #expect(answer.status == 400)
            #expect(answer.message == "Invalid requests[0].\(message)")
        }
    }

    @Test func refusesLongTexts() async throws {
        try await Client.run { client in
            let id = try await client.makeSpreadsheet()
            let fits = try await client.batch(id, [Self.write([[.string(String(repeating: "ä", count: 50_000))]])])
            #expect(fits.status == 200)
            let tooLong = try await client.batch(id, [Self.write([[.string(String(repeating: "a", count: 50_001))]])])
            #expect(
                tooLong.message
                    == "Invalid requests[0].updateCells: Your input contains more than the maximum of 50000 characters in a single cell."
            )
            let none = try await client.batch(id, [])
            #expect(none.message == "Must specify at least one request.")
        }
    }

    @Test func addsResizesRenamesAndDeletesSheets() async throws {
        try await Client.run { client in
            let id = try await client.makeSpreadsheet()
            let added = try await client.batch(
                id,
                [
                    [
                        "addSheet": [
                            "properties": [
                                "sheetId": 7, "title": "Data", "index": 0,
                                "gridProperties": ["rowCount": 3, "columnCount": 2, "frozenRowCount": 1],
                                "tabColor": ["red": 1],
                            ]
                        ]
                    ]
                ])
            let properties = added.json["replies"]?[0]?["addSheet"]?["properties"]
            #expect(properties?["gridProperties"] == ["rowCount": 3, "columnCount": 2, "frozenRowCount": 1])
            #expect(properties?["tabColorStyle"]?["rgbColor"] == ["red": 1])
            _ = try await client.batch(
                id,
                [
                    Self.write([["a", "b"], ["c", "d"]], sheet: 7),
                    [
                        "updateSheetProperties": [
                            "properties": [
                                "sheetId": 7, "title": "It's", "gridProperties": ["rowCount": 2, "columnCount": 1],
                            ],
                            "fields": "title,gridProperties(rowCount,columnCount)",
                        ]
                    ],
                    ["appendDimension": ["sheetId": 7, "dimension": "COLUMNS", "length": 4]],
                    ["deleteSheet": ["sheetId": 0]],
                ])
            let sheets = try await client.get("/v4/spreadsheets/\(id)", ["fields": "sheets.properties"])
            #expect(sheets.json["sheets"]?.array?.count == 1)
            #expect(
                sheets.json["sheets"]?[0]?["properties"]?["gridProperties"]
                    == ["rowCount": 2, "columnCount": 5, "frozenRowCount": 1])
            let values = try await client.get("/v4/spreadsheets/\(id)/values/'It''s'!A1:B2")
            #expect(values.json == ["range": "'It''s'!A1:B2", "majorDimension": "ROWS", "values": [["a"], ["c"]]])
            let beyond = try await client.get("/v4/spreadsheets/\(id)/values/F1")
            #expect(beyond.message == "Range ('It''s'!F1) exceeds grid limits. Max rows: 2, max columns: 5")
            let unknown = try await client.get("/v4/spreadsheets/\(id)/values/NOPE!A5:F15")
            #expect(unknown.message == "Unable to parse range: NOPE!A5:F15")
        }
    }

    @Test func bandsFiltersAndSizes() async throws {
        try await Client.run { client in
            let id = try await client.makeSpreadsheet()
            let range: JSON = [
                "sheetId": 0, "startRowIndex": 0, "endRowIndex": 5, "startColumnIndex": 0, "endColumnIndex": 3,
            ]
            let banding: JSON = [
                "addBanding": [
                    "bandedRange": [
                        "bandedRangeId": 5, "range": range,
                        "rowProperties": ["headerColor": ["red": 1], "firstBandColor": ["green": 1]],
                    ]
                ]
            ]
            let answer = try await client.batch(
                id,
                [
                    banding, ["setBasicFilter": ["filter": ["range": range]]],
                    Self.write([["a much longer text than usual"]]),
                    ["autoResizeDimensions": ["dimensions": ["dimension": "COLUMNS", "startIndex": 0, "endIndex": 1]]],
                    [
                        "updateDimensionProperties": [
                            "range": ["sheetId": 0, "dimension": "COLUMNS", "startIndex": 1, "endIndex": 2],
                            "properties": ["pixelSize": 222], "fields": "pixelSize",
                        ]
                    ],
                    [
                        "createDeveloperMetadata": [
                            "developerMetadata": [
                                "metadataId": 9, "metadataKey": "k", "metadataValue": "v", "visibility": "DOCUMENT",
                                "location": ["spreadsheet": true],
                            ]
                        ]
                    ],
                ])
            #expect(answer.status == 200, "\(answer.text)")
            let banded = answer.json["replies"]?[0]?["addBanding"]?["bandedRange"]
            #expect(banded?["bandedRangeId"] == 5)
            #expect(
                banded?["range"] == ["startRowIndex": 0, "endRowIndex": 5, "startColumnIndex": 0, "endColumnIndex": 3])
            #expect(banded?["rowProperties"]?["headerColorStyle"] == ["rgbColor": ["red": 1]])
            #expect(answer.json["replies"]?[5]?["createDeveloperMetadata"]?["developerMetadata"]?["metadataId"] == 9)
            let shown = try await client.get(
                "/v4/spreadsheets/\(id)",
                [
                    "fields":
                        "developerMetadata(metadataId),sheets(basicFilter,bandedRanges.bandedRangeId,data.columnMetadata.pixelSize)"
                ])
            let sheet = shown.json["sheets"]?[0]
            #expect(sheet?["basicFilter"]?["range"]?["endRowIndex"] == 5)
            #expect(sheet?["bandedRanges"] == [["bandedRangeId": 5]])
            #expect(sheet?["data"]?[0]?["columnMetadata"]?[0]?["pixelSize"]?.int ?? 0 > 150)
            #expect(sheet?["data"]?[0]?["columnMetadata"]?[1]?["pixelSize"] == 222)
            #expect(shown.json["developerMetadata"] == [["metadataId": 9]])

            let overlap: JSON = [
                "addBanding": ["bandedRange": ["range": ["sheetId": 0], "rowProperties": ["firstBandColor": [:]]]]
            ]
            let refused = try await client.batch(id, [overlap])
            #expect(
                refused.message
                    == "Invalid requests[0].addBanding: You cannot add alternating background colors to a range that already has alternating background colors."
            )
            let again = try await client.batch(
                id,
                [
                    [
                        "updateBanding": [
                            "bandedRange": ["bandedRangeId": 5, "rowProperties": ["firstBandColor": ["blue": 1]]],
                            "fields": "rowProperties.firstBandColor",
                        ]
                    ],
                    ["deleteBanding": ["bandedRangeId": 5]], ["clearBasicFilter": ["sheetId": 0]], overlap,
                ])
            #expect(again.status == 200, "\(again.text)")
            let twice = try await client.batch(
                id,
                [
                    [
                        "createDeveloperMetadata": [
                            "developerMetadata": [
                                "metadataId": 9, "metadataKey": "k", "visibility": "PROJECT",
                                "location": ["sheetId": 0],
                            ]
                        ]
                    ]
                ])
            #expect(twice.status == 400)
        }
    }

    @Test func includesTheSpreadsheetInTheAnswer() async throws {
        try await Client.run { client in
            let id = try await client.makeSpreadsheet()
            let answer = try await client.call(
                "POST", "/v4/spreadsheets/\(id):batchUpdate", ["fields": "updatedSpreadsheet.sheets.data.rowData"],
                [
                    "requests": [Self.write([[1]])], "includeSpreadsheetInResponse": true,
                    "responseIncludeGridData": true,
                    "responseRanges": ["A1"],
                ])
            let cell = answer.json["updatedSpreadsheet"]?["sheets"]?[0]?["data"]?[0]?["rowData"]?[0]?["values"]?[0]
            #expect(cell?["effectiveValue"] == ["numberValue": 1])
        }
    }

    @Test(arguments: [
        (
            #"{"requests":[{"updateCels":{}}]}"#, "requests[0]",
            #"Invalid JSON payload received. Unknown name "updateCels" at 'requests[0]': Cannot find field."#
        ),
        (
            #"{"requests":[{"updateCells":{"start":{"row":1},"fields":"*"}}]}"#, "requests[0].update_cells.start",
            #"Invalid JSON payload received. Unknown name "row" at 'requests[0].update_cells.start': Cannot find field."#
        ),
        (
            #"{"requests":[{"updateCells":{"rows":[{"values":[{"userEnteredValue":{"numberValue":"x"}}]}]}}]}"#,
            "requests[0].update_cells.rows[0].values[0].user_entered_value.number_value",
            #"Invalid value at 'requests[0].update_cells.rows[0].values[0].user_entered_value.number_value' (TYPE_DOUBLE), "x""#
        ),
        (
            #"{"requests":[{"appendDimension":{"dimension":"ROW"}}]}"#, "requests[0].append_dimension.dimension",
            #"Invalid value at 'requests[0].append_dimension.dimension' (type.googleapis.com/google.apps.sheets.v4.Dimension), "ROW""#
        ),
        (
            #"{"requests":[{"deleteSheet":{"sheetId":[1]}}]}"#, "requests[0].delete_sheet",
            #"Invalid JSON payload received. Unknown name "sheetId" at 'requests[0].delete_sheet': Proto field is not repeating, cannot start list."#
        ),
        (
            #"{"requests":[{"deleteSheet":{"sheetId":1},"addSheet":{}}]}"#, "requests[0]",
            #"Invalid value at 'requests[0]' (oneof), oneof field 'kind' is already set. Cannot set 'addSheet'"#
        ),
        (#"{"nonsense":1}"#, "", #"Invalid JSON payload received. Unknown name "nonsense": Cannot find field."#),
    ])
    func refusesBodiesOfTheWrongShape(body: String, field: String, message: String) async throws {
        try await Client.run { client in
            let id = try await client.makeSpreadsheet()
            let answer = try await client.call(
                "POST", "/v4/spreadsheets/\(id):batchUpdate", [:], try JSON(parsing: body))
            #expect(answer.status == 400)
            #expect(answer.message == message)
            let details = answer.json["error"]?["details"]?[0]
            #expect(details?["@type"] == "type.googleapis.com/google.rpc.BadRequest")
            #expect(details?["fieldViolations"]?[0]?["description"]?.string == message)
            #expect(details?["fieldViolations"]?[0]?["field"]?.string ?? "" == field)
        }
    }

    @Test func takesNumbersThatCameAsTextAndNamesUnknownFields() async throws {
        try await Client.run { client in
            let id = try await client.makeSpreadsheet()
            let answer = try await client.batch(
                id, [["appendDimension": ["sheetId": "0", "dimension": "ROWS", "length": "5"]], ["addSheet": nil]])
            #expect(answer.status == 400)
            let ok = try await client.batch(
                id,
                [
                    ["addSheet": ["properties": ["sheetId": "3", "title": nil]]],
                    ["appendDimension": ["sheetId": "3", "dimension": "ROWS", "length": "5"]],
                ])
            #expect(ok.status == 200, "\(ok.text)")
            let mask = try await client.get("/v4/spreadsheets/\(id)", ["fields": "sheets.sheetProperties"])
            #expect(mask.message == "Request contains an invalid argument.")
            #expect(
                mask.json["error"]?["details"]?[0]?["fieldViolations"]?[0]?["description"]
                    == "Error expanding 'fields' parameter. Cannot find matching fields for path 'sheets.sheetProperties'."
            )
            let text = try await client.send(
                "POST", "/v4/spreadsheets/\(id):batchUpdate", Array("{\"requests\":[".utf8), type: "application/json")
            #expect(text.status == 400)
            #expect(text.message?.hasPrefix("Invalid JSON payload received.") == true)
            let unplayed = try await client.batch(id, [["addChart": [:]]])
            #expect(unplayed.status == 501)
        }
    }
}

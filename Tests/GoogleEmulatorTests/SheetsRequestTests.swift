import Foundation
import GoogleEmulator
import JSON
import Testing

/// One kind of request each: what it answers, what the cells are afterwards, and what it refuses.
@Suite(.timeLimit(.minutes(2))) struct SheetsRequestTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let kind: String
        /// What stands in the sheet before, as `USER_ENTERED`.
        var before: JSON = [["b", 2], ["a", 1], ["c", 3]]
        let request: JSON
        /// The reply; nil for an empty one.
        var reply: JSON?
        /// The values afterwards, unformatted; nil where they stay.
        var after: JSON?
        /// A request that is refused, and why.
        let bad: JSON
        let message: String

        var testDescription: String { kind }
    }

    /// A range of the first sheet.
    private static func range(_ rows: Range<Int>, _ columns: Range<Int>) -> JSON {
        [
            "startRowIndex": JSON(rows.lowerBound), "endRowIndex": JSON(rows.upperBound),
            "startColumnIndex": JSON(columns.lowerBound), "endColumnIndex": JSON(columns.upperBound),
        ]
    }

    private static func dimension(_ name: String, _ range: Range<Int>) -> JSON {
        ["dimension": .string(name), "startIndex": JSON(range.lowerBound), "endIndex": JSON(range.upperBound)]
    }

    private static let beyond: JSON = ["startRowIndex": 1000, "endRowIndex": 1001]
    private static let beyondMessage =
        "Range (Sheet1!A1001) exceeds grid limits. Max rows: 1000, max columns: 26"
    private static let noGrid = "No grid with id: 5"

    static let cases: [Case] = [
        Case(
            kind: "insertDimension", before: [["a", "=A1"], ["b", "=A2"]],
            request: ["range": dimension("ROWS", 1..<2), "inheritFromBefore": true],
            after: [["a", "a"], [], ["b", "b"]],
            bad: ["range": dimension("ROWS", 0..<1), "inheritFromBefore": true],
            message: "Cannot set inheritFromBefore to true if inserting at the beginning of the sheet."),
        Case(
            kind: "insertDimension", request: ["range": dimension("COLUMNS", 1..<3)],
            after: [["b", "", "", 2], ["a", "", "", 1], ["c", "", "", 3]],
            bad: ["range": dimension("ROWS", 1001..<1002)],
            message: "range.startIndex[1001] must not be greater than the number of rows: 1000"),
        Case(
            kind: "deleteDimension", before: [["a", "=A3"], ["b"], ["c"]], request: ["range": dimension("ROWS", 1..<2)],
            after: [["a", "c"], ["c"]], bad: ["range": ["dimension": "ROWS"]],
            message: "You can't delete all the rows on the sheet."),
        Case(
            kind: "deleteDimension", request: ["range": dimension("COLUMNS", 0..<1)], after: [[2], [1], [3]],
            bad: ["range": dimension("ROWS", 3..<3)],
            message: "DimensionRange.endIndex[3] must be after DimensionRange.startIndex[3]"),
        Case(
            kind: "moveDimension", request: ["source": dimension("ROWS", 0..<1), "destinationIndex": 3],
            after: [["a", 1], ["c", 3], ["b", 2]],
            bad: ["source": dimension("ROWS", 0..<1), "destinationIndex": 1001],
            message: "range.startIndex[1001] must not be greater than the number of rows: 1000"),
        Case(
            kind: "moveDimension", request: ["source": dimension("COLUMNS", 1..<2), "destinationIndex": 0],
            after: [[2, "b"], [1, "a"], [3, "c"]], bad: ["source": ["sheetId": 5, "dimension": "ROWS"]],
            message: "No sheet with id: 5"),
        Case(
            kind: "appendDimension", request: ["dimension": "ROWS", "length": 5],
            bad: ["dimension": "ROWS", "length": 400_000],
            message: "This action would increase the number of cells in the workbook above the limit of 10000000 cells."
        ),
        Case(
            kind: "addDimensionGroup", request: ["range": dimension("ROWS", 1..<3)],
            reply: ["addDimensionGroup": ["dimensionGroups": [["range": dimension("ROWS", 1..<3), "depth": 1]]]],
            bad: ["range": dimension("ROWS", 2..<5)], message: "Dimension groups may not overlap in part."),
        Case(
            kind: "mergeCells", request: ["range": range(0..<2, 0..<2), "mergeType": "MERGE_ALL"],
            after: [["b"], [], ["c", 3]], bad: ["range": range(1..<3, 0..<2), "mergeType": "MERGE_ALL"],
            message: "You must select all cells in a merged range to merge or unmerge them."),
        Case(
            kind: "unmergeCells", request: ["range": range(0..<2, 0..<2)], bad: ["range": ["sheetId": 5]],
            message: noGrid),
        Case(
            kind: "addNamedRange",
            request: ["namedRange": ["namedRangeId": "n1", "name": "total", "range": range(0..<1, 0..<1)]],
            reply: [
                "addNamedRange": ["namedRange": ["namedRangeId": "n1", "name": "total", "range": range(0..<1, 0..<1)]]
            ],
            bad: ["namedRange": ["name": "TOTAL", "range": range(0..<1, 0..<1)]],
            message: "Cannot add a named range with name: TOTAL because it already exists."),
        Case(
            kind: "updateNamedRange", request: [:], bad: ["namedRange": ["namedRangeId": "n2"], "fields": "name"],
            message: "Cannot find a named range with ID: n2"),
        Case(
            kind: "deleteNamedRange", request: [:], bad: ["namedRangeId": "n2"],
            message: "Cannot find a named range with ID: n2"),
        Case(
            kind: "addProtectedRange",
            request: ["protectedRange": ["protectedRangeId": 8, "range": range(0..<1, 0..<2), "warningOnly": true]],
            reply: [
                "addProtectedRange": [
                    "protectedRange": [
                        "protectedRangeId": 8, "range": range(0..<1, 0..<2), "warningOnly": true,
                        "requestingUserCanEdit": true, "editors": [:],
                    ]
                ]
            ],
            bad: ["protectedRange": ["protectedRangeId": 8, "range": range(0..<1, 0..<2)]],
            message: "A protected range with the id 8 already exists."),
        Case(
            kind: "updateProtectedRange", request: [:],
            bad: ["protectedRange": ["protectedRangeId": 9], "fields": "*"],
            message: "No protected range with id: 9"),
        Case(
            kind: "deleteProtectedRange", request: [:], bad: ["protectedRangeId": 9],
            message: "No protected range with id: 9"),
        Case(
            kind: "copyPaste", before: [["a", "=A1&\"!\""], ["b"]],
            request: ["source": range(0..<1, 1..<2), "destination": range(1..<2, 1..<2)],
            after: [["a", "a!"], ["b", "b!"]],
            bad: ["source": range(0..<2, 0..<2), "destination": range(999..<1000, 0..<1)],
            message: "Range (Sheet1!A1000:B1001) exceeds grid limits. Max rows: 1000, max columns: 26"),
        Case(
            kind: "copyPaste",
            request: [
                "source": range(0..<2, 0..<2), "destination": range(3..<4, 0..<1), "pasteType": "PASTE_VALUES",
                "pasteOrientation": "TRANSPOSE",
            ],
            after: [["b", 2], ["a", 1], ["c", 3], ["b", "a"], [2, 1]],
            bad: ["source": beyond, "destination": range(0..<1, 0..<1)], message: beyondMessage),
        Case(
            kind: "cutPaste",
            request: ["source": range(0..<2, 0..<1), "destination": ["rowIndex": 0, "columnIndex": 2]],
            after: [["", 2, "b"], ["", 1, "a"], ["c", 3]],
            bad: ["source": range(0..<2, 0..<1), "destination": ["sheetId": 5]], message: noGrid),
        Case(
            kind: "pasteData",
            request: [
                "coordinate": ["rowIndex": 1], "data": "x,1\n\"y,z\",2", "delimiter": ",", "type": "PASTE_NORMAL",
            ],
            after: [["b", 2], ["x", 1], ["y,z", 2]], bad: ["coordinate": [:], "data": "x"],
            message: "The delimiter must not be empty."),
        Case(
            kind: "findReplace", before: [["cat", "Concat"], ["dog", 12]],
            request: ["find": "cat", "replacement": "bird", "allSheets": true],
            reply: [
                "findReplace": ["valuesChanged": 2, "rowsChanged": 1, "sheetsChanged": 1, "occurrencesChanged": 2]
            ],
            after: [["bird", "Conbird"], ["dog", 12]], bad: ["find": "x"],
            message: "Must specify one of range, sheetId or allSheets."),
        Case(
            kind: "sortRange", before: [["b", "=D1*2", "", 1], ["a", 1], [5, 4], ["", 3]],
            request: ["range": range(0..<4, 0..<4), "sortSpecs": [["dimensionIndex": 0, "sortOrder": "ASCENDING"]]],
            after: [[5, 4], ["a", 1], ["b", 2, "", 1], ["", 3]],
            bad: ["range": range(0..<4, 0..<4), "sortSpecs": [["dimensionIndex": 7]]],
            message: "Sort column 7 is outside of the range being sorted."),
        Case(
            kind: "sortRange",
            request: ["range": range(0..<3, 0..<2), "sortSpecs": [["dimensionIndex": 1, "sortOrder": "DESCENDING"]]],
            after: [["c", 3], ["b", 2], ["a", 1]], bad: ["range": range(0..<3, 0..<2)],
            message: "Must specify at least one sort spec."),
        Case(
            kind: "insertRange", request: ["range": range(1..<2, 0..<1), "shiftDimension": "ROWS"],
            after: [["b", 2], ["", 1], ["a", 3], ["c"]], bad: ["range": range(1..<2, 0..<1)],
            message: "Invalid dimension: "),
        Case(
            kind: "insertRange", request: ["range": range(1..<2, 0..<1), "shiftDimension": "COLUMNS"],
            after: [["b", 2], ["", "a", 1], ["c", 3]], bad: ["range": beyond, "shiftDimension": "ROWS"],
            message: beyondMessage),
        Case(
            kind: "deleteRange", request: ["range": range(0..<1, 0..<1), "shiftDimension": "ROWS"],
            after: [["a", 2], ["c", 1], ["", 3]], bad: ["range": beyond, "shiftDimension": "ROWS"],
            message: beyondMessage),
        Case(
            kind: "deleteRange", request: ["range": range(0..<1, 0..<1), "shiftDimension": "COLUMNS"],
            after: [[2], ["a", 1], ["c", 3]], bad: ["range": ["sheetId": 5], "shiftDimension": "ROWS"],
            message: noGrid),
        Case(
            kind: "setDataValidation",
            request: ["range": range(0..<2, 0..<1), "rule": ["condition": ["type": "BOOLEAN"], "strict": true]],
            bad: ["range": range(0..<2, 0..<1), "rule": ["condition": ["type": "ONE_OF_LIST"]]],
            message: "ConditionType 'ONE_OF_LIST' requires at least one ConditionValue."),
        Case(
            kind: "addConditionalFormatRule",
            request: [
                "rule": [
                    "ranges": [range(0..<2, 0..<1)],
                    "booleanRule": ["condition": ["type": "NOT_BLANK"], "format": ["textFormat": ["bold": true]]],
                ]
            ],
            bad: ["rule": ["ranges": [range(0..<2, 0..<1)]]],
            message: "Exactly one of booleanRule or gradientRule must be set."),
        Case(
            kind: "deleteConditionalFormatRule", request: [:], bad: ["index": 3],
            message: "No conditional format on sheet: 0 at index: 3"),
        Case(
            kind: "updateBorders", request: ["range": range(0..<2, 0..<2), "top": ["style": "SOLID"]],
            bad: ["range": beyond], message: beyondMessage),
        Case(
            kind: "addTable", request: ["table": ["tableId": "t", "name": "T", "range": range(0..<2, 0..<2)]],
            reply: [
                "addTable": [
                    "table": [
                        "tableId": "t", "name": "T", "range": range(0..<2, 0..<2),
                        "columnProperties": [
                            ["columnIndex": 0, "columnName": "b"], ["columnIndex": 1, "columnName": "2"],
                        ],
                    ]
                ]
            ],
            bad: ["table": ["range": range(1..<3, 0..<2)]], message: "Tables cannot overlap another table."),
        Case(
            kind: "deleteTable", request: [:], bad: ["tableId": "u"], message: "No table with id: u"),
        Case(
            kind: "updateTable", request: [:], bad: ["table": ["tableId": "u"], "fields": "name"],
            message: "No table with id: u"),
        Case(
            kind: "trimWhitespace", before: [["  a  b ", "c"]], request: ["range": range(0..<1, 0..<2)],
            reply: ["trimWhitespace": ["cellsChangedCount": 1]], after: [["a b", "c"]], bad: ["range": beyond],
            message: beyondMessage),
        Case(
            kind: "deleteDuplicates", before: [["a", 1], ["A", 2], ["b", 3]],
            request: ["range": range(0..<3, 0..<2), "comparisonColumns": [dimension("COLUMNS", 0..<1)]],
            reply: ["deleteDuplicates": ["duplicatesRemovedCount": 1]], after: [["a", 1], ["b", 3]],
            bad: ["range": range(0..<3, 0..<2), "comparisonColumns": [dimension("COLUMNS", 4..<5)]],
            message: "Comparison columns must be columns within the range."),
        Case(
            kind: "textToColumns", before: [["a,1"], ["b,2,x"]],
            request: ["source": range(0..<2, 0..<1), "delimiterType": "COMMA"], after: [["a", 1], ["b", 2, "x"]],
            bad: ["source": range(0..<2, 0..<2)], message: "The source must span exactly one column."),
        Case(
            kind: "appendCells",
            request: [
                "rows": [["values": [["userEnteredValue": ["stringValue": "end"]]]]], "fields": "userEnteredValue",
            ],
            after: [["b", 2], ["a", 1], ["c", 3], ["end"]], bad: ["tableId": "u", "fields": "*"],
            message: "No table with id: u"),
        Case(
            kind: "updateCells", request: [:],
            bad: ["start": ["rowIndex": -1], "rows": [["values": [[:]]]], "fields": "*"],
            message: "GridCoordinate.rowIndex and columnIndex must not be negative."),
        Case(
            kind: "pasteData", request: [:],
            bad: ["coordinate": ["rowIndex": 2_000_000_000], "data": "x", "delimiter": ","],
            message: "This action would increase the number of cells in the workbook above the limit of 10000000 cells."
        ),
        Case(
            kind: "duplicateSheet", request: ["newSheetId": 6, "newSheetName": "Twin", "insertSheetIndex": 1],
            reply: [
                "duplicateSheet": [
                    "properties": [
                        "sheetId": 6, "title": "Twin", "index": 1, "sheetType": "GRID",
                        "gridProperties": ["rowCount": 1000, "columnCount": 26],
                    ]
                ]
            ],
            bad: ["newSheetId": 6], message: "A sheet with the id 6 already exists."),
        Case(
            kind: "updateDeveloperMetadata", request: [:],
            bad: ["developerMetadata": ["metadataKey": "k"], "dataFilters": [[:]], "fields": "metadataKey"],
            message: "Must specify a data filter."),
        Case(
            kind: "autoResizeDimensions", request: ["dimensions": dimension("COLUMNS", 0..<2)],
            bad: ["dimensions": dimension("COLUMNS", 26..<27)],
            message: "DimensionRange.startIndex[26] is beyond the last column"),
    ]

    @Test(arguments: cases)
    func does(_ item: Case) async throws {
        try await Client.run { client in
            let id = try await client.makeSpreadsheet()
            _ = try await client.call(
                "PUT", "/v4/spreadsheets/\(id)/values/A1", ["valueInputOption": "USER_ENTERED"], ["values": item.before]
            )
            func request(_ body: JSON) -> JSON { .object(JSONObject([.init(name: item.kind, value: body)])) }
            let raw = ["valueRenderOption": "UNFORMATTED_VALUE"]
            let before = try await client.get("/v4/spreadsheets/\(id)/values/Sheet1", raw)
            if item.request != [:] {
                let answer = try await client.batch(id, [request(item.request)])
                #expect(answer.status == 200, "\(answer.text)")
                #expect(answer.json["replies"] == [item.reply ?? [:]])
            }
            let after = try await client.get("/v4/spreadsheets/\(id)/values/Sheet1", raw)
            #expect(after.json["values"] == item.after ?? before.json["values"])
            let shown = try await client.get("/v4/spreadsheets/\(id)", ["includeGridData": "true"])
            #expect(shown.status == 200, "\(shown.text.prefix(400))")
            let refused = try await client.batch(id, [["addSheet": [:]], request(item.bad)])
            #expect(refused.status == 400)
            #expect(refused.message == "Invalid requests[1].\(item.kind): \(item.message)")
            let unchanged = try await client.get("/v4/spreadsheets/\(id)", ["includeGridData": "true"])
            #expect(unchanged.json == shown.json)
        }
    }

    @Test func whatHangsOnCellsMovesWithThem() async throws {
        try await Client.run { client in
            let id = try await client.makeSpreadsheet()
            let two = Self.range(2..<4, 0..<2)
            let answer = try await client.batch(
                id,
                [
                    ["mergeCells": ["range": two, "mergeType": "MERGE_ALL"]],
                    ["addNamedRange": ["namedRange": ["namedRangeId": "n", "name": "n", "range": two]]],
                    ["addProtectedRange": ["protectedRange": ["protectedRangeId": 1, "range": two]]],
                    [
                        "addBanding": [
                            "bandedRange": ["bandedRangeId": 1, "range": two, "rowProperties": ["firstBandColor": [:]]]
                        ]
                    ],
                    ["setBasicFilter": ["filter": ["range": two]]],
                    ["addDimensionGroup": ["range": Self.dimension("ROWS", 2..<4)]],
                    [
                        "updateDimensionProperties": [
                            "range": Self.dimension("ROWS", 2..<3), "properties": ["pixelSize": 40],
                            "fields": "pixelSize",
                        ]
                    ],
                    [
                        "addConditionalFormatRule": [
                            "rule": ["ranges": [two], "booleanRule": ["condition": ["type": "BLANK"], "format": [:]]]
                        ]
                    ],
                    ["addTable": ["table": ["tableId": "t", "range": Self.range(5..<7, 0..<2)]]],
                    ["insertDimension": ["range": Self.dimension("ROWS", 0..<1)]],
                    ["deleteDimension": ["range": Self.dimension("COLUMNS", 1..<2)]],
                ])
            #expect(answer.status == 200, "\(answer.text)")
            let shown = try await client.get("/v4/spreadsheets/\(id)", ["includeGridData": "true"])
            let sheet = shown.json["sheets"]?[0]
            let moved = Self.range(3..<5, 0..<1)
            #expect(sheet?["merges"] == [moved])
            #expect(shown.json["namedRanges"]?[0]?["range"] == moved)
            #expect(sheet?["protectedRanges"]?[0]?["range"] == moved)
            #expect(sheet?["bandedRanges"]?[0]?["range"] == moved)
            #expect(sheet?["basicFilter"]?["range"] == moved)
            #expect(sheet?["conditionalFormats"]?[0]?["ranges"] == [moved])
            #expect(sheet?["tables"]?[0]?["range"] == Self.range(6..<8, 0..<1))
            #expect(sheet?["rowGroups"]?[0]?["range"] == Self.dimension("ROWS", 3..<5))
            #expect(sheet?["data"]?[0]?["rowMetadata"]?[3]?["pixelSize"] == 40)
            #expect(sheet?["properties"]?["gridProperties"]?["columnCount"] == 25)
            let more = try await client.batch(
                id,
                [
                    ["updateNamedRange": ["namedRange": ["namedRangeId": "n", "name": "m"], "fields": "name"]],
                    [
                        "updateProtectedRange": [
                            "protectedRange": ["protectedRangeId": 1, "description": "d"], "fields": "description",
                        ]
                    ],
                    ["updateTable": ["table": ["tableId": "t", "name": "Named"], "fields": "name"]],
                    [
                        "updateDimensionGroup": [
                            "dimensionGroup": ["range": Self.dimension("ROWS", 3..<5), "depth": 1, "collapsed": true],
                            "fields": "collapsed",
                        ]
                    ],
                    ["deleteDimensionGroup": ["range": Self.dimension("ROWS", 3..<5)]],
                    [
                        "updateConditionalFormatRule": [
                            "index": 0,
                            "rule": [
                                "ranges": [two],
                                "gradientRule": ["minpoint": ["type": "MIN"], "maxpoint": ["type": "MAX"]],
                            ],
                        ]
                    ],
                    ["deleteConditionalFormatRule": ["index": 0]], ["deleteTable": ["tableId": "t"]],
                    ["deleteNamedRange": ["namedRangeId": "n"]], ["deleteProtectedRange": ["protectedRangeId": 1]],
                    ["unmergeCells": ["range": moved]],
                ])
            #expect(more.status == 200, "\(more.text)")
            #expect(more.json["replies"]?[4] == ["deleteDimensionGroup": [:]])
            #expect(more.json["replies"]?[6]?["deleteConditionalFormatRule"]?["rule"]?["gradientRule"] != nil)
            let rest = try await client.get("/v4/spreadsheets/\(id)")
            #expect(rest.json["namedRanges"] == nil)
            for field in ["merges", "protectedRanges", "conditionalFormats", "tables", "rowGroups"] {
                #expect(rest.json["sheets"]?[0]?[field] == nil, "\(field)")
            }
        }
    }
}

import Google
import JSON
import JobQueue
import SheetModel
import Testing

@testable import Export

/// Whatever Sheets tells of a spreadsheet, plans are made of it or it is refused.
@Suite struct HostileSpreadsheetTests {
    private static let values: [JSON] = [
        JSON(Int.min), JSON(Int.max), -1, 0, 1, JSON(1 << 31), 10_000_000, 10_000_001, 1e300, "7", [7], nil, true,
    ]
    private static let fields = ["sheetId", "rowCount", "columnCount", "bandedRangeId", "metadataId"]

    private static func spreadsheet(_ changes: [String: JSON]) -> JSON {
        func value(_ name: String, _ usual: JSON) -> JSON { changes[name] ?? usual }
        return [
            "sheets": [
                [
                    "properties": [
                        "sheetId": value("sheetId", 0), "title": "S",
                        "gridProperties": [
                            "rowCount": value("rowCount", 10), "columnCount": value("columnCount", 5),
                        ],
                    ],
                    "bandedRanges": [["bandedRangeId": value("bandedRangeId", 1)]],
                    "developerMetadata": .array(
                        [("sheetsync_rows", "i/7/9223372036854775807"), ("sheetsync_replaced", "i/7/1")].map {
                            [
                                "metadataId": value("metadataId", 2), "metadataKey": .string($0.0),
                                "metadataValue": .string($0.1),
                            ]
                        }),
                ], ["properties": ["sheetId": 4, "title": "T", "gridProperties": ["rowCount": 10, "columnCount": 5]]],
            ]
        ]
    }

    @Test func eachNumberOfASpreadsheetIsInItsRange() throws {
        let spreadsheet = try ExportPayload([
            "spreadsheet_id": "1a", "sheets": [["name": "S", "columns": ["a"], "rows": [[1]]]],
        ]).spreadsheet()
        let job = try #require(JobTag("7-0"))
        var (planned, refused) = (0, 0)
        for first in Self.fields {
            for second in Self.fields {
                for value in Self.values {
                    for other in Self.values {
                        let json = Self.spreadsheet([first: value].merging([second: other]) { $1 })
                        do {
                            let target = try TargetSpreadsheet("1a", of: "i", json)
                            for sheet in target.sheets {
                                #expect((0...Limits.cells).contains(sheet.rows))
                                #expect((0...Limits.cells).contains(sheet.columns))
                                #expect((0...Int(Int32.max)).contains(sheet.id))
                                #expect(sheet.bandingIDs.allSatisfy { (0...Int(Int32.max)).contains($0) })
                            }
                            var marks = AppendFence(on: target.sheets[0].id, of: target, installation: "i", job: job)
                            _ = (marks.count, marks.others, marks.add(1))
                            _ = ReplacementReceipt(installation: "i", job: job, hidden: 3).requests(on: 0, of: target)
                            let grids = target.sheets.filter { $0.rows > 0 && $0.columns > 0 }
                            _ = try FormatPlan(.standard, sheets: grids)
                            let plan = try SpreadsheetPlan(spreadsheet, target: .existing(target.sheets))
                            _ = try StagedPlan(
                                plan, among: target.sheets, removing: [], hidden: [(id: 99, title: "hidden")]
                            ).finish()
                            planned += 1
                        } catch is GoogleError {
                            refused += 1
                        } catch is SheetModelError {
                            refused += 1
                        }
                    }
                }
            }
        }
        #expect(planned > 100 && refused > 100)
    }

    @Test func eachPlaceOfACellIsInItsRange() throws {
        let places = try ColumnPlaces(of: [Column(name: "a")], in: ["a"])
        var (read, refused) = (0, 0)
        for row in Self.values {
            for column in Self.values {
                let cell: JSON = ["userEnteredValue": ["numberValue": 7]]
                let answer: JSON = [
                    "sheets": [
                        [
                            "data": [
                                [
                                    "startRow": row, "startColumn": column,
                                    "rowData": [["values": [cell]], ["values": []]],
                                ]
                            ]
                        ]
                    ]
                ]
                do {
                    _ = try SheetReader.cells(in: answer, places, [0, 1])
                    read += 1
                } catch {
                    refused += 1
                }
            }
        }
        #expect(read > 5 && refused > 50)
    }
}

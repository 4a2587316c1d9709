import GoogleEmulator
import JSON
import Logging
import ServiceLifecycle
import Testing

@Suite(.timeLimit(.minutes(2))) struct PageTests {
    @Test func showsASpreadsheetToAPerson() async throws {
        try await Client.run { client in
            let folder = try await client.makeFolder("Team <2026>")
            let made = try await client.call(
                "POST", "/drive/v3/files", [:],
                [
                    "name": "Sales & more", "mimeType": "application/vnd.google-apps.spreadsheet",
                    "parents": [.string(folder)],
                ])
            let id = try #require(made.json["id"]?.string)
            func text(_ text: String) -> JSON { ["userEnteredValue": ["stringValue": .string(text)]] }
            let answer = try await client.batch(
                id,
                [
                    [
                        "updateSheetProperties": [
                            "properties": ["gridProperties": ["frozenRowCount": 1]],
                            "fields": "gridProperties.frozenRowCount",
                        ]
                    ],
                    [
                        "updateCells": [
                            "start": ["sheetId": 0], "fields": "*",
                            "rows": [
                                ["values": [text("<script>alert(1)</script>"), text("amount")]],
                                [
                                    "values": [
                                        [
                                            "userEnteredValue": [
                                                "formulaValue":
                                                    "=HYPERLINK(\"https://example.com/?a=1&b=2\",\"the \"\"link\"\"\")"
                                            ]
                                        ],
                                        [
                                            "userEnteredValue": ["numberValue": 1234.5],
                                            "userEnteredFormat": [
                                                "numberFormat": ["type": "CURRENCY", "pattern": "[$€]#,##0.00"],
                                                "textFormat": ["bold": true],
                                            ],
                                        ],
                                    ]
                                ],
                                [
                                    "values": [
                                        ["userEnteredValue": ["formulaValue": "=HYPERLINK(\"javascript:alert(1)\")"]]
                                    ]
                                ],
                            ],
                        ]
                    ],
                    [
                        "addBanding": [
                            "bandedRange": [
                                "range": ["sheetId": 0],
                                "rowProperties": ["headerColor": ["red": 1], "firstBandColor": ["blue": 1]],
                            ]
                        ]
                    ],
                    [
                        "updateDimensionProperties": [
                            "range": ["dimension": "COLUMNS", "startIndex": 0, "endIndex": 1],
                            "properties": ["pixelSize": 321], "fields": "pixelSize",
                        ]
                    ],
                    ["addSheet": ["properties": ["title": "Second", "sheetId": 8]]],
                ])
            #expect(answer.status == 200, "\(answer.text)")
            let page = try await client.get("/spreadsheets/d/\(id)/edit")
            #expect(page.status == 200)
            #expect(page.headers["content-type"] == "text/html; charset=UTF-8")
            let html = page.text
            #expect(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"))
            #expect(!html.contains("<script"))
            #expect(html.contains("<title>Sales &amp; more</title>"))
            #expect(html.contains("€1,234.50"))
            #expect(html.contains("font-weight:700"))
            #expect(html.contains("background:#ff0000"))
            #expect(html.contains("background:#0000ff"))
            #expect(html.contains("width:321px"))
            #expect(html.contains("<a href=\"https://example.com/?a=1&amp;b=2\">the &quot;link&quot;</a>"))
            #expect(!html.contains("href=\"javascript:"))
            #expect(html.contains("Team &lt;2026&gt;"))
            #expect(html.contains("sheet=8\">Second</a>"))
            let second = try await client.get("/spreadsheets/d/\(id)/edit", ["sheet": "8"])
            #expect(!second.text.contains("€1,234.50"))
            let list = try await client.get("/drive/folders/\(folder)")
            #expect(list.text.contains("Sales &amp; more</a>"))
            let landing = try await client.get("/")
            #expect(landing.text.contains("GOOGLE_API_ENDPOINT=\(client.baseURL)"))
            #expect(landing.text.contains("Sales &amp; more"))
            let missing = try await client.get("/spreadsheets/d/nothing/edit")
            #expect(missing.status == 404)
        }
    }

    @Test func showsLongSheetsPageByPage() async throws {
        try await Client.run { client in
            let id = try await client.makeSpreadsheet()
            let rows = (0..<900).map { row -> JSON in
                ["values": [["userEnteredValue": ["stringValue": .string("row-\(row)-")]]]]
            }
            let answer = try await client.batch(
                id, [["updateCells": ["start": [:], "rows": .array(rows), "fields": "userEnteredValue"]]])
            #expect(answer.status == 200)
            let first = try await client.get("/spreadsheets/d/\(id)/edit").text
            #expect(first.contains("row-499-") && !first.contains("row-500-"))
            #expect(first.contains("from=500\">later</a>"))
            let second = try await client.get("/spreadsheets/d/\(id)/edit", ["from": "500"]).text
            #expect(second.contains("row-500-") && second.contains("row-899-") && !second.contains("row-499-"))
            #expect(second.contains(">earlier</a>"))
        }
    }

    @Test func stopsGracefullyThoughARequestHangs() async throws {
        let emulator = try GoogleEmulator()
        let group = ServiceGroup(
            configuration: .init(
                services: [.init(service: emulator)],
                logger: .init(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })))
        let running = Task { try await group.run() }
        let client = try await Client(emulator)
        emulator.addFault(.init(.hang))
        let hanging = Task { try await client.get("/drive/v3/files") }
        while emulator.journal.total == 0 { try await Task.sleep(for: .milliseconds(10)) }
        await group.triggerGracefulShutdown()
        try await running.value
        await #expect(throws: (any Error).self) { try await hanging.value }
    }
}

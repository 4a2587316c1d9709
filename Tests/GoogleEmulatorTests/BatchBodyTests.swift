import JSON
import Testing

/// Rows of cells are read in two ways: straight into values, and as a tree where something is unusual.
///
/// Protocol buffers' own spelling of a request's name makes the emulator take the second way, and both must end alike.
@Suite struct BatchBodyTests {
    private static let rows = [
        #"[{"values":[{"userEnteredValue":{"numberValue":1.5}},{"userEnteredValue":{"stringValue":"a"}}]}]"#,
        #"[ { "values" : [ { "userEnteredValue" : { "boolValue" : true } } , {} ] } , { } ]"#,
        #"[{"values":[{"userEnteredValue":{"formulaValue":"=1+1"}},{"userEnteredValue":{"boolValue":false}}]}]"#,
        #"[{"values":[{"userEnteredValue":{"stringValue":"tab\tquote\"\ud83d\ude00 é ü"}}]}]"#,
        #"[{"values":[{"userEnteredValue":{"stringValue":""}},{"userEnteredValue":{"numberValue":-0.0e-3}}]}]"#,
        #"[{"values":[{"userEnteredValue":{"numberValue":"12"}},{"userEnteredValue":{"boolValue":"true"}}]}]"#,
        #"[{"values":[{"userEnteredValue":{"numberValue":12345678901234567890}}]},{"values":[]},{"values":[{}]}]"#,
        #"[{"values":[{"userEnteredValue":{}},{"userEnteredValue":null},{"userEnteredValue":{"stringValue":null}}]}]"#,
        #"[{"values":[{"user_entered_value":{"string_value":"a"}}]}]"#,
        #"[{"values":[{"userEnteredValue":{"stringValue":"a"},"userEnteredFormat":{"textFormat":{"bold":true}}}]}]"#,
        #"[{"values":[{"note":"n"},{"userEnteredValue":{"numberValue":7},"note":"m"}]}]"#,
        #"[{"values":[{"userEnteredValue":{"stringValue":"a"},"userEnteredValue":{"stringValue":"b"}}]}]"#,
        #"[{"values":[{"userEnteredValue":{"stringValue":"a"}}],"values":[]}]"#,
        #"[null,{"values":null},{"values":[null]}]"#,
        // What is refused, and how.
        #"[{"values":[{"userEnteredValue":{"stringValue":1}}]}]"#,
        #"[{"values":[{"userEnteredValue":{"numberValue":true}},{"userEnteredValue":{"boolValue":0}}]}]"#,
        #"[{"values":[{"userEnteredValue":{"numberValue":[1]}},{"userEnteredValue":{"numberValue":{}}}]}]"#,
        #"[{"values":[{"userEnteredValue":{"numberValue":1,"stringValue":"a"}}]}]"#,
        #"[{"values":[{"userEnteredValue":{"numberValu":1}},{"userEnteredValu":{}}]}]"#,
        #"[{"values":[{"userEnteredValue":"a"},["b"],"c"]},[],"d"]"#,
        #"[{"value":[]}]"#, #"[{"values":{}}]"#, #"{"values":[]}"#, #""rows""#,
        #"[{"values":[{"userEnteredValue":{"numberValue":01}}]}]"#,
        #"[{"values":[{"userEnteredValue":{"boolValue":tru}}]}]"#,
        #"[{"values":[{"userEnteredValue":{"stringValue":"\ud800"}}]}]"#,
        #"[{"values":[{"userEnteredValue":{"stringValue":"a"}},]}]"#,
    ]

    @Test func bothWaysOfReadingRowsEndAlike() async throws {
        try await Client.run { client in
            for rows in Self.rows {
                for kind in ["updateCells", "appendCells"] {
                    let place = kind == "updateCells" ? #""start":{"rowIndex":1}"# : #""sheetId":0"#
                    let request = #"{\#(place),"rows":\#(rows),"fields":"*"}"#
                    let usual = try await Self.outcome(client, #"{"requests":[{"\#(kind)":\#(request)}]}"#)
                    let own = kind == "updateCells" ? "update_cells" : "append_cells"
                    let tree = try await Self.outcome(client, #"{"requests":[{"\#(own)":\#(request)}]}"#)
                    #expect(Self.withoutOffset(usual) == Self.withoutOffset(tree), "\(rows)")
                }
            }
        }
    }

    @Test func theLastOfRepeatedRowsCounts() async throws {
        try await Client.run { client in
            let cell = { (text: String) in #"[{"values":[{"userEnteredValue":{"stringValue":"\#(text)"}}]}]"# }
            let request = #"{"updateCells":{"start":{},"fields":"*","rows":\#(cell("a")),"rows":\#(cell("b"))}}"#
            let other = #"{"updateCells":{"range":{"endRowIndex":1},"fields":"*"}}"#
            let last = try await Self.outcome(client, #"{"requests":[\#(request)]}"#)
            #expect(last.contains(#""stringValue":"b""#), "\(last)")
            let none = try await Self.outcome(client, #"{"requests":[\#(request)],"requests":[\#(other)]}"#)
            #expect(none.hasSuffix(#"[{"data":[{}]}]"#), "\(none)")
        }
    }

    /// The answer to a batch on a new spreadsheet, and the cells afterwards.
    private static func outcome(_ client: Client, _ body: String) async throws -> String {
        let id = try await client.makeSpreadsheet()
        let answer = try await client.send(
            "POST", "/v4/spreadsheets/\(id):batchUpdate", Array(body.utf8), type: "application/json")
        let cells = try await client.get(
            "/v4/spreadsheets/\(id)",
            [
                "fields": "sheets.data.rowData.values(userEnteredValue,userEnteredFormat,note)",
                "includeGridData": "true",
            ])
        return answer.text.replacing(id, with: "") + (cells.json["sheets"] ?? nil).description
    }

    /// The two spellings differ in length, and so do the places of syntax errors.
    private static func withoutOffset(_ text: String) -> String { text.replacing(/at byte \d+/, with: "") }
}

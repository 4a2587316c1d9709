import JSON
import SheetModel
import Testing

@Suite struct CSVTests {
    private func table(_ text: String, delimiter: Character? = nil) throws -> CSVTable {
        try CSVReader.table(from: Array(text.utf8), delimiter: delimiter?.asciiValue)
    }

    @Test func readsWhatRFC4180Shows() throws {
        let read = try table("\u{FEFF}id,\"na\"\"me\",note\r\n1,\"a,b\r\nc\",\n\n2,\"\", x \r\n")
        #expect(read.header == ["id", "na\"me", "note"])
        #expect(read.rows == [["1", "a,b\r\nc", nil], ["2", nil, " x "]])
        #expect(try table("a").rows.isEmpty)
        #expect(try table("a\n\n1\n").rows == [[nil], ["1"]])
        #expect(try table("a,b\n,").rows == [[nil, nil]])
        #expect(try table(",a\n0,x").header == ["", "a"])
    }

    static let malformed: [(String, String)] = [
        ("", "empty"), ("\u{FEFF}", "empty"), ("a,b\n1,2\n1,2,3\n", "line 3 "), ("a,b\n\"x\ny\",2\n1\n", "line 4 "),
        ("a,b\n1,\"x\n\n", "line 2 "), ("a\n\"x\"y\n", "line 2 "), ("a\nx\"y\n", "line 2 "), ("a\r1\n", "line 1 "),
        ("a\n1\r", "line 2 "), ("a,b\n\"\"\n", "line 2 "), ("a,b\n1,x\0y\n", "line 2 of the CSV has a NUL in field 2"),
        ("a,b\n1,\"x\ny\0\"\n", "line 2 of the CSV has a NUL in field 2"), ("a;b,c\n", "--delimiter"),
        ("a;b;c,d\n1,2\n", "with a semicolon between them"),
    ]
    @Test(arguments: malformed)
    func refusesWhatCouldBeReadInTwoWays(text: String, part: String) throws {
        let error = try #require(throws: SheetModelError.self) { try table(text) }
        #expect(error.code == .malformedCSV)
        #expect(error.description.contains(part), "\(error)")
    }

    @Test func refusesOtherEncodings() throws {
        let error = try #require(throws: SheetModelError.self) {
            try CSVReader.table(from: Array("a\nb\n".utf8) + [0xE9, 0x0A])
        }
        #expect(error.description.contains("line 3 of the CSV is not UTF-8"))
    }

    @Test func anyTableComesBack() throws {
        let fields = ["", "x", "a,b", "\"", "\"\"", "a\nb", "a\r\nb", " ", "é😀", "=1", "-", "007"]
        for _ in 0..<300 {
            let width = Int.random(in: 2...5)
            let records = (0..<Int.random(in: 1...20)).map { _ in (0..<width).map { _ in fields.randomElement() ?? "" }
            }
            let newline = Bool.random() ? "\n" : "\r\n"
            let text = records.map { record in
                record.map { field in
                    let needsQuotes = field.utf8.contains { [10, 13, 34, 44].contains($0) }
                    let escaped = field.split(separator: "\"", omittingEmptySubsequences: false).joined(
                        separator: "\"\"")
                    return needsQuotes || Bool.random() ? "\"\(escaped)\"" : field
                }.joined(separator: ",")
            }.joined(separator: newline)
            let read = try table(text + (Bool.random() ? newline : ""))
            #expect(read.header == records[0])
            #expect(read.rows == records.dropFirst().map { $0.map { $0.isEmpty ? nil : $0 } })
        }
    }

    static let inferences: [([String], ColumnType, String?)] = [
        (["1", "-20", "0", "999999999999999"], .integer, "0"), (["1", "", "3"], .integer, "0"),
        (["1.50", "-20.00"], .number, "0.00"), (["1", "2.5"], .number, nil), (["0.1"], .number, "0.0"),
        (["true", "False", "TRUE"], .boolean, nil), (["2026-11-22", "0001-01-01"], .date, nil),
        (["2026-11-22T10:00:00Z", "2026-11-22 10:00"], .datetime, nil),
        (["007"], .text, nil), (["+1"], .text, nil), (["1e5"], .text, nil), (["1234567890123456"], .text, nil),
        (["0.1234567890123456"], .text, nil), (["-0"], .text, nil), (["1", "x"], .text, nil), (["1,5"], .text, nil),
        (["2026-11-22", "2026-11-22T10:00:00Z"], .datetime, nil), (["2026-02-30"], .text, nil),
        (["2026-11-22T00:00:00Z"], .datetime, nil), (["1.50", "NaN", "-Infinity"], .number, "0.00"),
        (["NaN", "2026-11-22"], .text, nil), (["inf", "x"], .text, nil),
        (["1", "true"], .text, nil),
        (["yes"], .text, nil), (["", ""], .text, nil), ([], .text, nil), (["NaN"], .text, nil), ([" 1"], .text, nil),
        (["0x1"], .text, nil),
    ]
    @Test(arguments: inferences)
    func infersTheNarrowestTypeThatChangesNothing(fields: [String], type: ColumnType, format: String?) throws {
        let text = "a,b\n" + fields.map { "\($0.contains(",") ? "\"\($0)\"" : $0),z\n" }.joined()
        let column = try table(text).payload()["columns"]?[0]
        #expect(column?["type"]?.string == type.rawValue)
        #expect(column?["format"]?.string == format)
    }

    @Test func becomesAPayload() throws {
        let payload = try table("id,paid,price,day,code\n1,true,1.50,2026-11-22,007\n,,,,\n").payload()
        #expect(
            JSON.object(payload).description
                == #"{"columns":[{"name":"id","type":"integer","format":"0"},{"name":"paid","type":"boolean"},"#
                + #"{"name":"price","type":"number","format":"0.00"},{"name":"day","type":"date"},{"name":"code","type":"text"}],"#
                + #""rows":[[1,true,1.50,"2026-11-22","007"],[null,null,null,null,null]]}"#)
    }

    @Test func theHeaderTellsTheDelimiter() throws {
        for (text, delimiter) in [
            ("a;b\n1;x,y\n", ";"), ("a\tb\n1\tx,y\n", "\t"), ("a,b\n1,x;y\n", ","), ("a\n1\n", ","),
            ("\"x,y,z\";b\n1;2\n", ";"), ("a;b;c,d\n1;2;3\n", ";"),
        ] as [(String, Character)] {
            let table = try table(text)
            #expect(table.delimiter == delimiter.asciiValue, "\(text)")
            #expect(table.rows.count == 1)
        }
        #expect(try table("a;b\n1;2\n", delimiter: ",").header == ["a;b"])
        #expect(try table("a|b\n1|2\n", delimiter: "|").rows == [["1", "2"]])
    }

    @Test func decimalCommasAreNumbersBetweenSemicolons() throws {
        let text = "price;mixed;whole;list\n1,50;1,5;7;1,2,3\n-20,00;1.5;8;4\n"
        let payload = try table(text).payload()
        #expect(
            payload["columns"]?.array?.map { $0["type"] } == ["number", "text", "integer", "text"]
                && payload["columns"]?[0]?["format"] == "0.00", "\(payload)")
        let rows = try JSON(parsing: #"[[1.50,"1,5",7,"1,2,3"],[-20.00,"1.5",8,"4"]]"#)
        #expect(payload["rows"] == rows, "\(payload)")
        // A type asks for a number, and gets one wherever the text is one.
        let asked = try table(text).payload(types: ["mixed": .currency])
        #expect(asked["rows"]?.array?.map { $0[1] } == ["1.5", "1.5"], "\(asked)")
        // Between commas a comma is none of a number's.
        #expect(try table("a,b\n\"1,5\",x\n").payload(types: ["a": .number])["rows"] == [["1,5", "x"]])
        #expect(throws: SheetModelError.self) { try table("a\n1\n").payload(types: ["b": .number]) }
    }

    @Test func garbageIsReadOrRefused() {
        let alphabet = Array("a,\"\r\n\u{FEFF}é".utf8) + [0xFF]
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0...24)).map { _ in alphabet.randomElement() ?? 0 }
            if let table = try? CSVReader.table(from: bytes) {
                #expect(table.rows.allSatisfy { $0.count == table.header.count })
            }
        }
    }
}

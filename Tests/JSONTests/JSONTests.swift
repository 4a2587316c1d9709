import JSON
import Testing

@Suite struct JSONTests {
    @Test(arguments: [
        #"{"a":[1,2.50,-0,1e5,true,false,null,"x"],"b":{}}"#,
        #"[]"#, #""""#, #"12345678901234567890"#, #"0.1000000000000000055511151231257827"#, #"[[[]]]"#,
    ])
    func keepsWhatTheTextSaid(text: String) throws {
        #expect(try JSON(parsing: text).description == text)
    }

    @Test(arguments: [
        "", " ", "{", "[1,]", "{\"a\":1,}",
        "{a:1}", "01", "1.", ".5", "1e", "+1", "-", "tru", "nulll", "\"a", "\"\\x\"",
        "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\u12g4\"", "\"\t\"", "[1 2]", "{\"a\" 1}", "1 1", "NaN", "\"\\u+123\"",
    ])
    func refusesWhatIsNotJSON(text: String) {
        #expect(throws: JSONError.self) { try JSON(parsing: text) }
    }

    @Test func refusesInvalidUTF8AndBottomlessNesting() {
        #expect(throws: JSONError.self) { try JSON(parsing: [0x22, 0xFF, 0x22]) }
        #expect(throws: JSONError.self) { try JSON(parsing: String(repeating: "[", count: 100_000)) }
    }

    @Test func unescapesAndEscapes() throws {
        let parsed = try JSON(parsing: #""a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00\u0000""#)
        #expect(parsed.string == "a\"\\/\u{8}\u{c}\n\r\té😀\0")
        #expect(try JSON(parsing: parsed.bytes) == parsed)
    }

    @Test func numbersKnowWhatTheyCanHold() throws {
        #expect(try JSON(parsing: "9223372036854775807").int == Int.max)
        #expect(try JSON(parsing: "9223372036854775808").int == nil)
        #expect(try JSON(parsing: "1.0").int == nil)
        #expect(JSON(3.0).description == "3")
        #expect(JSON(Double.nan) == .null)
        #expect(JSON(0.1).description == "0.1")
    }

    @Test func objectsCompareWithoutOrderAndTheLastOfANameCounts() throws {
        #expect(try JSON(parsing: #"{"a":1,"b":2}"#) == JSON(parsing: #"{"b":2,"a":1}"#))
        #expect(try JSON(parsing: #"{"a":1,"a":2}"#)["a"]?.int == 2)
        var object = JSONObject()
        object["x"] = 1
        object["y"] = [true]
        object["x"] = nil
        #expect(JSON.object(object).description == #"{"y":[true]}"#)
    }

    @Test func theWriterPutsTheCommas() {
        var writer = JSONWriter()
        writer.object {
            $0.member("title", "S\"1")
            $0.array("rows") {
                $0.element(42)
                $0.object { $0.member("a", nil) }
                $0.array { _ in }
            }
            $0.object("empty") { _ in }
        }
        #expect(
            String(decoding: writer.bytes, as: UTF8.self)
                == #"{"title":"S\"1","rows":[42,{"a":null},[]],"empty":{}}"#)
    }

    @Test func theReaderGoesPieceByPieceAndBack() throws {
        var reader = JSONReader(Array(#" { "id" : 7 , "rows" : [ [1] , {"id":2} , "x" ] , "ok" : false } "#.utf8))
        try reader.beginObject()
        #expect(try reader.nextMember() == "id")
        #expect(try reader.number().int == 7)
        #expect(try reader.nextMember() == "rows")
        let rows = reader.place
        #expect(try reader.value() == [[1], ["id": 2], "x"])
        reader.place = rows
        try reader.beginArray()
        var kinds: [UInt8?] = []
        while try reader.nextElement() {
            kinds.append(reader.peek())
            _ = try reader.value()
        }
        #expect(kinds == [UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: "\"")])
        #expect(try reader.nextMember() == "ok")
        #expect(throws: JSONError.self) { try reader.string() }
        #expect(try reader.bool() == false)
        #expect(try reader.nextMember() == nil)
        try reader.end()
        #expect(throws: JSONError.self) { try reader.value() }
    }

    @Test func namesOfOneSlotAreToldApart() throws {
        // Of the same length, first and last letter, and among them one that is escaped.
        let text = #"[{"abcd":1,"axxd":2},{"axxd":3,"abcd":4,"a\u0062cd":5},{"":6,"äcd":7,"äd":8}]"#
        let parsed = try JSON(parsing: text)
        #expect(parsed[1]?.object?.names == ["axxd", "abcd", "abcd"])
        #expect(parsed[0]?["axxd"]?.int == 2)
        #expect(parsed[1]?["abcd"]?.int == 5)
        #expect(parsed[2]?.object?.names == ["", "äcd", "äd"])
        #expect(throws: JSONError.self) { try JSON(parsing: [0x7B, 0x22, 0xFF, 0x22, 0x3A, 0x31, 0x7D]) }
    }

    @Test func randomTreesComeBackEqual() throws {
        var generator = SystemRandomNumberGenerator()
        func tree(_ depth: Int) -> JSON {
            switch Int.random(in: 0..<(depth > 4 ? 4 : 6), using: &generator) {
            case 0: .null
            case 1: JSON(Double.random(in: -1e9...1e9, using: &generator))
            case 2: JSON(Bool.random(using: &generator))
            case 3: .string(String((0..<8).map { _ in "a\"\\\n\u{1}é😀\u{202e}".randomElement() ?? "x" }))
            case 4: .array((0..<Int.random(in: 0...4)).map { _ in tree(depth + 1) })
            default:
                .object(JSONObject((0..<Int.random(in: 0...4)).map { .init(name: "n\($0)", value: tree(depth + 1)) }))
            }
        }
        for _ in 0..<500 {
            let value = tree(0)
            #expect(try JSON(parsing: value.bytes) == value)
        }
    }
}

/// Long arrays that stay text.
@Suite struct JSONTextTests {
    private func parse(_ text: String, _ longest: Int = 8) throws -> JSON {
        try JSON(parsing: Array(text.utf8), longestTree: longest)
    }

    @Test(arguments: [
        #"{"a":1,"rows":[[0],[0],["\n\u00e9",null],{"b":[1,2,3,4,5,6,7,8]}],"z":[true]}"#,
        #"[[[1,2,3,4,5],[1,2,3,4,5,6]],"x",{"y":[]}]"#, #"[]"#, #"[1,2]"#, #"[ [ 1 , 2 ] , [ 3 , 4 ] ]"#,
    ])
    func isTheSameValue(text: String) throws {
        let tree = try JSON(parsing: text)
        for longest in 1...12 {
            let kept = try parse(text, longest)
            #expect(kept == tree && tree == kept && kept.description == tree.description, "\(longest)")
            #expect(kept.hashValue == tree.hashValue)
        }
        #expect(try parse(text) != (try parse("[[0],[0],[0],[1]]")))
    }

    @Test func elementsBecomeValuesOneAtATime() throws {
        let rows = try #require(try parse(#"{"rows":[[0],[1],[2],[3]]}"#)["rows"])
        guard case .text = rows else { return #expect(Bool(false), "\(rows)") }
        #expect(rows.kind == "an array" && rows[2] == [2] && rows[4] == nil)
        let elements = try #require(rows.elements)
        #expect(elements.count == 4 && elements.first == [0] && elements.map { $0[0]?.int ?? -1 } == [0, 1, 2, 3])
        #expect(rows.array == [[0], [1], [2], [3]])
        #expect(try parse("[1,2]").elements?.count == 2 && JSON.null.elements == nil)
    }

    @Test(arguments: [
        #"[1,2,3,4,5,6,]"#, #"[1,2,3,4,5,6 7]"#, #"[1,2,3,4,5,6,"a]"#, #"[1,2,3,4,5,6,{"a":}]"#, #"[1,2,3,4,5,6,[}]"#,
        #"[1,2,3,4,5,6,nul]"#, #"[1,2,3,4,5,6,"\ud800"]"#, #"[1,2,3,4,5,6"#, #"[1,2,3,4,5,6]]"#,
    ])
    func whatIsBehindIsCheckedToo(text: String) {
        #expect(throws: JSONError.self) { try parse(text) }
    }

    @Test func bottomlessNestingIsRefusedInTextToo() {
        let deep = "[1,2,3,4,5," + String(repeating: "[", count: 300) + String(repeating: "]", count: 300) + "]"
        #expect(throws: JSONError.self) { try parse(deep) }
    }
}

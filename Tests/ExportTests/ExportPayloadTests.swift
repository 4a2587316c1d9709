import Export
import Google
import JSON
import SheetModel
import Testing

@Suite struct ExportPayloadTests {
    private func lines(of sheet: CheckedSheet) throws -> [String] {
        var cursor = sheet.rows.cursor(from: 0)
        var lines: [String] = []
        while let line = try cursor.next() { lines.append(String(decoding: line, as: UTF8.self)) }
        return lines
    }

    @Test func readsTheShorthand() throws {
        let payload = try ExportPayload(
            JSON(
                parsing: """
                    {"title":"Orders 2026","folder":"Team/2026","time_zone":"Europe/Berlin","locale":"de_DE",
                     "columns":["id",{"name":"price","type":"currency","format":"EUR","width":120}],
                     "rows":[[1,"12.50"],[2],[]]}
                    """))
        let path = try FolderPayload(["path": "Team/2026"]).path
        #expect(payload.destination == .new(title: "Orders 2026", folder: .path(path), copyOf: nil))
        #expect(path.names == ["Team", "2026"])
        #expect(try payload.spreadsheet().locale == "de_DE")
        #expect(try payload.spreadsheet().timeZone?.name == "Europe/Berlin")
        let sheet = try #require(try payload.spreadsheet().sheets.first)
        #expect(sheet.name == "Sheet1")
        #expect(sheet.columns.map(\.name) == ["id", "price"])
        #expect(sheet.columns.map(\.type) == [.auto, .currency])
        #expect(sheet.columns[1].format == "EUR" && sheet.columns[1].width == 120)
        #expect(try lines(of: sheet) == ["[1,12.5]", "[2,null]", "[null,null]"])
    }

    @Test func readsSheetsWithObjects() throws {
        let payload = try ExportPayload(
            JSON(
                parsing: """
                    {"title":"T","folder":["a/b","c"],"folder_id":null,"template":"default","share":[],"dry_run":false,
                     "sheets":[{"name":"A","columns":["b","a"],"mode":"replace","rows":[{"a":1,"b":2,"c":3},{"a":4},{}]},
                               {"name":"B","rows":[[1],[2,3]]},{"name":"C","columns":["x"],"rows":[]}]}
                    """))
        let sheets = try payload.spreadsheet().sheets
        #expect(sheets.map(\.name) == ["A", "B", "C"])
        #expect(try lines(of: sheets[0]) == ["[2,1]", "[null,4]", "[null,null]"])
        #expect(!sheets[1].hasHeader)
        #expect(try lines(of: sheets[1]) == ["[1,null]", "[2,3]"])
        let folder = ExportDestination.Folder.path(try FolderPayload(["path": ["a/b", "c"]]).path)
        #expect(payload.destination == .new(title: "T", folder: folder, copyOf: nil))
        #expect(payload.template == "default" && payload.shares.isEmpty && !payload.isDryRun)
        #expect(try payload.spreadsheet().locale == "en_US" && payload.spreadsheet().timeZone?.name == "UTC")
    }

    @Test func aFolderMayBeGivenByItsID() throws {
        let payload = try ExportPayload(["title": "T", "rows": [], "folder_id": "1aB_-9", "copy_of": "1x"])
        #expect(payload.destination == .new(title: "T", folder: .id("1aB_-9"), copyOf: "1x"))
        let bare = try ExportPayload(["title": "T", "rows": []])
        #expect(bare.destination == .new(title: "T", folder: nil, copyOf: nil))
    }

    @Test func whatIsThereKeepsItsLocaleUnlessOneIsNamedAndItsZoneAlways() throws {
        for name in ["copy_of", "spreadsheet_id"] {
            var payload: JSONObject = JSONObject([.init(name: name, value: "1x"), .init(name: "rows", value: [])])
            if name == "copy_of" { payload["title"] = "T" }
            let bare = try ExportPayload(.object(payload)).spreadsheet()
            #expect(bare.locale == nil && bare.timeZone == nil)
            payload["locale"] = "de_DE"
            payload["time_zone"] = "Europe/Berlin"
            let named = try ExportPayload(.object(payload)).spreadsheet()
            #expect(named.locale == "de_DE" && named.timeZone == nil)
        }
    }

    @Test func readsShares() throws {
        let payload = try ExportPayload(
            JSON(
                parsing: """
                    {"title":"T","rows":[],"dry_run":true,"template":"blue","share":[
                     {"type":"user","email":"ada@example.com","role":"writer","notify":true,"message":"Look\\nhere"},
                     {"type":"group","email":"ada@example.com","role":"reader"},
                     {"type":"domain","domain":"example.com","role":"commenter"},{"type":"anyone","role":"reader"}]}
                    """))
        #expect(payload.isDryRun && payload.template == "blue")
        #expect(payload.shares.map(\.permission.type) == [.user, .group, .domain, .anyone])
        #expect(payload.shares.map(\.permission.grantee) == ["ada@example.com", "ada@example.com", "example.com", ""])
        #expect(payload.shares.map(\.permission.role) == [.writer, .reader, .commenter, .reader])
        #expect(payload.shares.map(\.notifies) == [true, false, false, false])
        #expect(payload.shares[0].message == "Look\nhere")
    }

    @Test func warningsAreThere() throws {
        let payload = try ExportPayload(JSON(parsing: #"{"title":"T","columns":["id"],"rows":[[9007199254740993]]}"#))
        #expect(try payload.spreadsheet().warnings.count == 1)
    }

    // Payload, path, part of the message.
    static let refused: [(String, String, String)] = [
        (#"{"title":"T","sheets":[{"name":"A","rows":[],"params":[]}]}"#, "sheets[0].params", "goes with query alone"),
        (
            #"{"title":"T","sheets":[{"name":"A","rows":[],"query":"select 1"}]}"#, "sheets[0].rows",
            "goes without query"
        ),
        (#"{"title":"T","sheets":[{"name":"A","query":7}]}"#, "sheets[0].query", "expected a string"),
        (
            #"{"title":"T","sheets":[{"name":"A","rows":[],"mode":"add"}]}"#, "sheets[0].mode",
            "replace, append, upsert or mirror"
        ),
        (#"{"title":"T","sheets":[{"name":"A","rows":[],"mode":"upsert"}]}"#, "sheets[0].key", "needs the names"),
        (
            #"{"title":"T","sheets":[{"name":"A","rows":[],"key":["id"]}]}"#, "sheets[0].key",
            "modes upsert and mirror alone"
        ),
        (
            #"{"title":"T","sheets":[{"name":"A","rows":[],"mode":"upsert","key":["id"]}]}"#, "sheets[0].key[0]",
            "is not the name of a column"
        ),
        (
            #"{"title":"T","sheets":[{"name":"A","columns":["b"],"rows":[],"mode":"upsert","key":["b","b"]}]}"#,
            "sheets[0].key[1]", "named twice"
        ),
        (#"[]"#, "", "expected an object, got an array"),
        (#"{"rows":[]}"#, "title", "is missing"),
        (#"{"title":null,"rows":[]}"#, "title", "is missing"),
        (#"{"title":7,"rows":[]}"#, "title", "expected a string, got a whole number"),
        (#"{"title":"  ","rows":[]}"#, "title", "must not be empty"),
        (#"{"title":"a\nb","rows":[]}"#, "title", "control characters"),
        (#"{"title":"T"}"#, "", "expected rows or query (for one sheet), or sheets"),
        (#"{"title":"T","columns":["a"]}"#, "", "expected rows or query (for one sheet), or sheets"),
        (#"{"title":"T","rows":[],"sheet":[]}"#, "sheet", #"unknown field; did you mean "sheets"?"#),
        (#"{"title":"T","rows":[],"timeZone":"UTC"}"#, "timeZone", #"did you mean "time_zone"?"#),
        (#"{"title":"T","rows":[],"colour":1}"#, "colour", "unknown field"),
        (#"{"title":"T","rows":[],"query":"select 1"}"#, "rows", "goes without query"),
        (#"{"title":"T","rows":[],"":1}"#, "", "unknown field"),
        (#"{"title":"T","rows":{}}"#, "rows", "expected an array, got an object"),
        (#"{"title":"T","rows":[1]}"#, "rows[0]", "expected an array or an object, got a whole number"),
        (#"{"title":"T","rows":[[1],{"a":1}]}"#, "rows[1]", "expected an array like the first row, got an object"),
        (#"{"title":"T","rows":[{"a":1}]}"#, "rows[0]", "is an object, whose values need columns"),
        (#"{"title":"T","columns":["a"],"rows":[{"a":1},[1]]}"#, "rows[1]", "expected an object like the first row"),
        (#"{"title":"T","columns":["a","a"],"rows":[{"a":1}]}"#, "columns[1]", "name of an earlier column"),
        (#"{"title":"T","columns":["a"],"rows":[[1],[1,2,3]]}"#, "rows[1]", "has 3 values, but there is 1 column"),
        (#"{"title":"T","columns":[],"rows":[]}"#, "columns", "at least one column"),
        (#"{"title":"T","columns":"a","rows":[]}"#, "columns", "expected an array, got a string"),
        (#"{"title":"T","columns":[1],"rows":[]}"#, "columns[0]", "expected a string or an object"),
        (#"{"title":"T","columns":["a",{}],"rows":[]}"#, "columns[1].name", "is missing"),
        (
            #"{"title":"T","columns":[{"name":"a","tpye":"text"}],"rows":[]}"#, "columns[0].tpye",
            #"did you mean "type"?"#
        ),
        (
            #"{"title":"T","columns":[{"name":"a","type":"txt"}],"rows":[]}"#, "columns[0].type",
            #"did you mean "text"?"#
        ),
        (
            #"{"title":"T","columns":[{"name":"a","type":"blob"}],"rows":[]}"#, "columns[0].type",
            "expected one of auto, text,"
        ),
        (
            #"{"title":"T","columns":[{"name":"a","type":1}],"rows":[]}"#, "columns[0].type",
            "expected a string, got a whole number"
        ),
        (
            #"{"title":"T","columns":[{"name":"a","width":1.5}],"rows":[]}"#, "columns[0].width",
            "expected a whole number, got a number with a fraction"
        ),
        (
            #"{"title":"T","columns":[{"name":"a","width":"9"}],"rows":[]}"#, "columns[0].width",
            "expected a whole number, got a string"
        ),
        (
            #"{"title":"T","columns":[{"name":"a","width":9}],"rows":[]}"#, "columns[0].width",
            "expected 10 to 2000 pixels"
        ),
        (
            #"{"title":"T","columns":[{"name":"a","type":"currency","format":"EURO"}],"rows":[]}"#, "columns[0].format",
            "a currency's code such as EUR or a pattern such as #,##0.00"
        ),
        (
            #"{"title":"T","columns":[{"name":"a","type":"date"}],"rows":[["2026-11-22"],["x"]]}"#, "rows[1][0]",
            "got a string"
        ),
        (
            #"{"title":"T","columns":[{"name":"a b","type":"date"}],"rows":[{"a b":1}]}"#, "rows[0].a b",
            "expected a date"
        ),
        (#"{"title":"T","rows":[],"time_zone":"Mars/Base"}"#, "time_zone", "there is no such time zone"),
        (#"{"title":"T","rows":[],"locale":"en-US"}"#, "locale", "expected a locale such as en_US"),
        (#"{"title":"T","rows":[],"locale":""}"#, "locale", "expected a locale"),
        (#"{"title":"T","rows":[],"locale":"en_USA_X"}"#, "locale", "expected a locale"),
        (#"{"title":"T","rows":[],"folder":""}"#, "folder", "empty name"),
        (#"{"title":"T","rows":[],"folder":"a//b"}"#, "folder", "empty name"),
        (#"{"title":"T","rows":[],"folder":"/a"}"#, "folder", "empty name"),
        (#"{"title":"T","rows":[],"folder":"a/ /b"}"#, "folder", "must not be empty"),
        (#"{"title":"T","rows":[],"folder":[]}"#, "folder", "at least one folder"),
        (#"{"title":"T","rows":[],"folder":["a",""]}"#, "folder[1]", "must not be empty"),
        (#"{"title":"T","rows":[],"folder":["a",1]}"#, "folder[1]", "expected a string, got a whole number"),
        (#"{"title":"T","rows":[],"folder":7}"#, "folder", "expected a string or an array of strings"),
        (#"{"title":"T","rows":[],"folder":"a","folder_id":"b"}"#, "folder_id", "goes without folder"),
        (#"{"title":"T","rows":[],"folder_id":"../b"}"#, "folder_id", "expected the id of a Drive folder"),
        (#"{"title":"T","rows":[],"folder_id":""}"#, "folder_id", "expected the id"),
        (#"{"spreadsheet_id":"x","rows":[],"title":"T"}"#, "title", "goes without spreadsheet_id"),
        (#"{"spreadsheet_id":"x","rows":[],"folder":"F"}"#, "folder", "goes without spreadsheet_id"),
        (#"{"spreadsheet_id":"x","rows":[],"folder_id":"F"}"#, "folder_id", "goes without spreadsheet_id"),
        (#"{"spreadsheet_id":"x","rows":[],"copy_of":"F"}"#, "copy_of", "goes without spreadsheet_id"),
        (#"{"spreadsheet_id":"x/y","rows":[]}"#, "spreadsheet_id", "expected the id of a Drive spreadsheet"),
        (#"{"spreadsheet_id":7,"rows":[]}"#, "spreadsheet_id", "expected a string, got a whole number"),
        (#"{"title":"T","rows":[],"copy_of":"https://docs.google.com/x"}"#, "copy_of", "expected the id of a Drive"),
        (#"{"title":"T","rows":[],"template":1}"#, "template", "expected a string, got a whole number"),
        (#"{"title":"T","rows":[],"dry_run":"yes"}"#, "dry_run", "expected true or false, got a string"),
        (#"{"title":"T","rows":[],"share":{}}"#, "share", "expected an array"),
        (#"{"title":"T","rows":[],"share":["a@b.c"]}"#, "share[0]", "expected an object, got a string"),
        (#"{"title":"T","rows":[],"share":[{"role":"reader"}]}"#, "share[0].type", "is missing"),
        (#"{"title":"T","rows":[],"share":[{"type":"person"}]}"#, "share[0].type", "expected one of user, group"),
        (#"{"title":"T","rows":[],"share":[{"type":"usr"}]}"#, "share[0].type", #"did you mean "user"?"#),
        (#"{"title":"T","rows":[],"share":[{"type":"anyone"}]}"#, "share[0].role", "is missing"),
        (#"{"title":"T","rows":[],"share":[{"type":"anyone","role":"owner"}]}"#, "share[0].role", "never given away"),
        (
            #"{"title":"T","rows":[],"share":[{"type":"anyone","role":"organizer"}]}"#, "share[0].role",
            "expected one of reader, commenter, writer"
        ),
        (#"{"title":"T","rows":[],"share":[{"type":"user","role":"reader"}]}"#, "share[0].email", "is missing"),
        (
            #"{"title":"T","rows":[],"share":[{"type":"user","role":"reader","email":"ada"}]}"#, "share[0].email",
            "expected an address"
        ),
        (
            #"{"title":"T","rows":[],"share":[{"type":"user","role":"reader","email":"a b@c.d"}]}"#, "share[0].email",
            "expected an address"
        ),
        (
            #"{"title":"T","rows":[],"share":[{"type":"user","role":"reader","email":"a@b.c","domain":"b.c"}]}"#,
            "share[0].domain", "does not go with the type user"
        ),
        (
            #"{"title":"T","rows":[],"share":[{"type":"anyone","role":"reader","email":"a@b.c"}]}"#, "share[0].email",
            "does not go with the type anyone"
        ),
        (
            #"{"title":"T","rows":[],"share":[{"type":"domain","role":"reader","domain":"a@b.c"}]}"#,
            "share[0].domain", "expected a domain"
        ),
        (
            #"{"title":"T","rows":[],"share":[{"type":"domain","role":"reader","domain":"b.c","notify":true}]}"#,
            "share[0].notify", "users and groups only"
        ),
        (
            #"{"title":"T","rows":[],"share":[{"type":"user","role":"reader","email":"a@b.c","message":"hi"}]}"#,
            "share[0].message", "only with notify"
        ),
        (
            #"{"title":"T","rows":[],"share":[{"type":"user","role":"reader","email":"a@b.c","sendMail":1}]}"#,
            "share[0].sendMail", "unknown field"
        ),
        (
            #"{"title":"T","rows":[],"share":[{"type":"user","role":"reader","email":"a@b.c"},{"type":"user","role":"writer","email":"A@b.c"}]}"#,
            "share[1]", "same grantee"
        ),
        (#"{"title":"T","sheets":[]}"#, "sheets", "expected 1 to 200 sheets, got 0"),
        (#"{"title":"T","sheets":[],"rows":[]}"#, "rows", "goes without sheets"),
        (#"{"title":"T","sheets":[],"columns":["a"]}"#, "columns", "goes without sheets"),
        (#"{"title":"T","sheets":[1]}"#, "sheets[0]", "expected an object, got a whole number"),
        (#"{"title":"T","sheets":[{"rows":[]}]}"#, "sheets[0].name", "is missing"),
        (#"{"title":"T","sheets":[{"name":"A"}]}"#, "sheets[0].rows", "is missing"),
        (#"{"title":"T","sheets":[{"name":"","rows":[]}]}"#, "sheets[0].name", "expected 1 to 100 characters"),
        (#"{"title":"T","sheets":[{"name":"A","rows":[]},{"name":"a","rows":[]}]}"#, "sheets[1].name", "earlier sheet"),
        (
            #"{"title":"T","sheets":[{"name":"A","rows":[]},{"name":"B","columns":["a",{"name":"b","foramt":"0"}],"rows":[]}]}"#,
            "sheets[1].columns[1].foramt", #"did you mean "format"?"#
        ),
        (
            #"{"title":"T","sheets":[{"name":"A","columns":["a",{"name":"n","type":"integer"}],"rows":[[1,2],["x",1.5]]}]}"#,
            "sheets[0].rows[1][1]", "expected a whole number, got a number with a fraction"
        ),
        (
            #"{"title":"T","sheets":[{"name":"A","columns":[{"name":"n","type":"boolean"}],"rows":[{"n":"yes"}]}]}"#,
            "sheets[0].rows[0].n", "expected true or false, got a string"
        ),
    ]
    @Test(arguments: refused)
    func refusesWithThePath(text: String, path: String, part: String) throws {
        let error = try #require(throws: PayloadError.self) { try ExportPayload(JSON(parsing: text)) }
        #expect(error.code == .invalid)
        #expect(error.path == path)
        #expect(error.message.contains(part), "\(error)")
        #expect(error.description == "\(path.isEmpty ? "payload" : path): \(error.message)")
    }

    @Test func readsQueriesAndModes() throws {
        let payload = try ExportPayload(
            JSON(
                parsing: """
                    {"spreadsheet_id":"1x","sheets":[{"name":"A","columns":["id","n"],"rows":[[1,2]],"mode":"upsert","key":["id"]},
                     {"name":"B","query":"select $1::int as n","params":[7],"mode":"append"},{"name":"C","rows":[]},
                     {"name":"D","query":"select 1","mode":"upsert","key":["any"]}]}
                    """))
        #expect(payload.modes == [.upsert(key: ["id"]), .append, .replace, .upsert(key: ["any"])])
        #expect(payload.queries.map(\.index) == [1, 3])
        let query = try #require(payload.queries.first)
        #expect(query.sheet == "B" && query.path == "sheets[1]" && query.columns == nil)
        #expect(query.statement == "select $1::int as n" && query.parameters == [7])
    }

    @Test func namesOfACellTooLongAreCutInErrors() throws {
        let name = String(repeating: "n", count: 10_000)
        let error = try #require(throws: PayloadError.self) {
            try ExportPayload([
                "title": "T", "columns": [["name": .string(name), "type": "date"]],
                "rows": [.object(JSONObject([.init(name: name, value: 1)]))],
            ])
        }
        #expect(error.description.count < 200)
    }

    @Test func longTextsAreRefusedWithLimitAndCount() throws {
        let text = JSON.string(String(repeating: "x", count: 50_001))
        let error = try #require(throws: PayloadError.self) {
            try ExportPayload(["title": "T", "rows": [[1], [2, text]]])
        }
        #expect(error.path == "rows[1][1]")
        #expect(error.message.contains("50,000") && error.message.contains("50,001"))
    }
}

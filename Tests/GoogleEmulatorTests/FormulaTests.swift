import JSON
import Testing

@testable import GoogleEmulator

@Suite struct FormulaTests {
    private static func spreadsheet() throws -> Spreadsheet {
        var spreadsheet = Spreadsheet(id: "x", title: "x")
        let range = GridRange(sheetID: 0, rows: 0..<4, columns: 0..<2)
        _ = try ValueWriter(inputOption: "RAW").write(
            [[1, "a"], [2, "B"], [4.5, ""], ["text", true]], to: range, in: &spreadsheet)
        spreadsheet.namedRanges = [
            ["name": "numbers", "range": ["startRowIndex": 0, "endRowIndex": 3, "endColumnIndex": 1]]
        ]
        .compactMap { ($0 as JSON).object }
        return spreadsheet
    }

    @Test(arguments: [
        ("=4/2", "2"), ("=1+1", "2"), ("=2+3*4", "14"), ("=(2+3)*4", "20"), ("=-2^2", "-4"), ("=50%", "0.5"),
        ("=SUM(A1:A3)", "7.5"), ("=sum(A:A)", "7.5"), ("=AVERAGE(A1:A3,0.5)", "2"), ("=MAX(A1:A3)", "4.5"),
        ("=MIN(A1:A3)", "1"), ("=COUNT(A1:B4)", "3"), ("=COUNTA(A1:B4)", "7"), ("=CONCAT(B1,B2)", "aB"),
        ("=B1&\"-\"&A1", "a-1"), ("=A1+A2", "3"), ("=$A$3*2", "9"), ("=Sheet1!A2", "2"), ("='Sheet1'!A2+1", "3"),
        ("=SUM(numbers)", "7.5"), ("=IF(A1<A2,\"yes\",\"no\")", "yes"), ("=ROUND(A3/7,2)", "0.64"), ("=LEN(B1)", "1"),
        ("=1/0", "#DIV/0!"), ("=A4+1", "#VALUE!"), ("=NOPE(1)", "#NAME?"), ("=nope", "#NAME?"), ("=1+", "#ERROR!"),
        ("=Other!A1", "#REF!"), ("=A1=1", "TRUE"), ("=\"a\"\"b\"", "a\"b"), ("=B3", "0"), ("=\"open", "#ERROR!"),
        ("=D1", "#REF!"), ("=A1<>A2", "TRUE"), ("=1E3", "1000"), ("=#REF!+1", "#REF!"), ("=SUM(Sheet1!#REF!)", "#REF!"),
    ])
    func computes(formula: String, text: String) throws {
        var spreadsheet = try Self.spreadsheet()
        spreadsheet.sheets[0].grid.update(row: 0) { $0[3].value = .formula(formula) }
        let cell = spreadsheet.sheets[0].grid[0][3]
        #expect(CellReader(spreadsheet).text(cell, sheet: 0, row: 0, column: 3) == text)
    }

    @Test func survivesLongChains() throws {
        var spreadsheet = try Self.spreadsheet()
        spreadsheet.sheets[0].grid.update(row: 0) { row in
            row[3].value = .formula("=1" + String(repeating: "+1", count: 20_000))
            row[4].value = .formula("=1" + String(repeating: "+1", count: 500))
            row[5].value = .formula("=1" + String(repeating: "%", count: 20_000))
        }
        for row in 1..<300 {
            let formula = "=" + String(repeating: "1+", count: 900) + "D\(row + 2)" + String(repeating: "+1", count: 90)
            spreadsheet.sheets[0].grid.update(row: row) { $0[3].value = .formula(formula) }
        }
        let reader = CellReader(spreadsheet)
        let grid = spreadsheet.sheets[0].grid
        #expect(reader.text(grid[0][3], sheet: 0, row: 0, column: 3) == "#ERROR!")
        #expect(reader.text(grid[0][4], sheet: 0, row: 0, column: 4) == "501")
        #expect(reader.text(grid[0][5], sheet: 0, row: 0, column: 5) == "#ERROR!")
        #expect(reader.text(grid[1][3], sheet: 0, row: 1, column: 3) == "#REF!")
    }

    @Test func survivesDeepNesting() throws {
        let deep = "=" + String(repeating: "(", count: 5000) + "1" + String(repeating: ")", count: 5000)
        var spreadsheet = try Self.spreadsheet()
        spreadsheet.sheets[0].grid.update(row: 0) { $0[3].value = .formula(deep) }
        for row in 1..<900 {
            spreadsheet.sheets[0].grid.update(row: row) { $0[3].value = .formula("=D\(row + 2)+1") }
        }
        let reader = CellReader(spreadsheet)
        let grid = spreadsheet.sheets[0].grid
        #expect(reader.text(grid[0][3], sheet: 0, row: 0, column: 3) == "#ERROR!")
        #expect(reader.text(grid[1][3], sheet: 0, row: 1, column: 3) == "#REF!")
    }

    @Test func referencesFollowTheirCells() {
        let moved = FormulaReferences.moved("=A1+$B$2*SUM(C$3:$D4)+total", rows: 2, columns: 1)
        #expect(moved == "=B3+$B$2*SUM(D$3:$D6)+total")
        #expect(FormulaReferences.moved("=A1", rows: -1, columns: 0) == "=#REF!")
        let shift = DimensionShift(isRows: true, kind: .insert(1, count: 2))
        #expect(
            FormulaReferences.shifted("=A1+A2+Other!A2+\"A2\"", by: shift, title: "Sheet1", isOwn: true)
                == "=A1+A4+Other!A2+\"A2\"")
        let deletion = DimensionShift(isRows: true, kind: .delete(1..<2))
        #expect(FormulaReferences.shifted("=A2+A3", by: deletion, title: "S", isOwn: true) == "=#REF!+A2")
    }

    @Test(arguments: [
        ("42", "number 42.0", ""), ("0042", "number 42.0", ""), ("-1.5", "number -1.5", ""),
        ("1,234", "number 1234.0", "#,##0"), ("1,234.5", "number 1234.5", "#,##0.00"), ("1,23", "text", ""),
        ("50%", "number 0.5", "0%"), ("12.5%", "number 0.125", "0.00%"), ("$5", "number 5.0", "$#,##0"),
        ("-$5.00", "number -5.0", "$#,##0.00"), ("€3", "number 3.0", "[$€]#,##0"), ("1e3", "number 1000.0", "0.00E+00"),
        ("2020-01-01", "number 43831.0", "yyyy-mm-dd"), ("1/2/2020", "number 43832.0", "m/d/yyyy"),
        ("2020-01-01 12:00", "number 43831.5", "yyyy-mm-dd h:mm"), ("12:00", "number 0.5", "h:mm"),
        ("6:00 pm", "number 0.75", "h:mm am/pm"), ("2020-02-30", "text", ""), ("true", "boolean true", ""),
        ("'123", "text", ""), ("=1+1", "formula", ""), ("hello", "text", ""), ("1.2.3", "text", ""),
        ("(5)", "number -5.0", ""),
        ("12345678-1234", "text", ""), ("", "empty", ""), ("=", "text", ""), ("25:99", "text", ""),
    ])
    func readsWhatPeopleType(text: String, value: String, pattern: String) {
        let entry = UserEntry(text)
        let shown =
            switch entry.value {
            case .empty: "empty"
            case .number(let number): "number \(number)"
            case .text: "text"
            case .boolean(let value): "boolean \(value)"
            case .formula: "formula"
            }
        #expect(shown == value)
        #expect(entry.format?.pattern ?? "" == pattern)
    }

    @Test func shiftsMoveSpans() {
        let insert = DimensionShift(isRows: true, kind: .insert(2, count: 3))
        #expect(insert.span(0..<2) == 0..<2)
        #expect(insert.span(2..<4) == 5..<7)
        #expect(insert.span(1..<4) == 1..<7)
        let delete = DimensionShift(isRows: true, kind: .delete(2..<4))
        #expect(delete.span(0..<6) == 0..<4)
        #expect(delete.span(2..<4) == nil)
        #expect(delete.span(3..<6) == 2..<4)
        let down = DimensionShift(isRows: true, kind: .move(0..<2, to: 4))
        #expect((0..<6).map { down.position($0) } == [2, 3, 0, 1, 4, 5])
        let up = DimensionShift(isRows: true, kind: .move(3..<5, to: 1))
        #expect((0..<6).map { up.position($0) } == [0, 3, 4, 1, 2, 5])
    }

    @Test func measuresTexts() {
        #expect(TextWidth.pixels(String(repeating: "A", count: 1024)) == 8691)
        #expect(TextWidth.pixels("") == 0)
    }

    @Test func splitsDelimitedText() {
        #expect(DelimitedText.rows("a,b\r\n\"c,\"\"d\n\",e\n", delimiter: ",") == [["a", "b"], ["c,\"d\n", "e"]])
    }
}

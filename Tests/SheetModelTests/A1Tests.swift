import SheetModel
import Testing

@Suite struct A1Tests {
    @Test func everyColumnComesBack() {
        var seen: Set<String> = []
        for index in 0..<Limits.columns {
            let letters = A1.letters(ofColumn: index)
            seen.insert(letters)
            // An expectation for each of them would take longer than the work itself.
            if A1.column(ofLetters: letters) != index || A1.column(ofLetters: letters.lowercased()) != index {
                Issue.record("\(letters) is not column \(index)")
            }
        }
        #expect(seen.count == Limits.columns)
    }

    @Test(arguments: [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (701, "ZZ"), (702, "AAA"), (18_277, "ZZZ")])
    func knowsTheCornerstones(index: Int, letters: String) {
        #expect(A1.letters(ofColumn: index) == letters)
    }

    @Test(arguments: ["", "AAAA", "ZZZZZZZZZZZZZZZZZZZZ", "A1", "É", "[", "@", "A "])
    func refusesWhatIsNoColumn(letters: String) {
        #expect(A1.column(ofLetters: letters) == nil)
    }

    static let ranges: [(String, A1Range?)] = [
        ("A1:B2", A1Range(columns: 0..<2, startRow: 0, endRow: 2)),
        ("B2:A1", A1Range(columns: 0..<2, startRow: 0, endRow: 2)),
        ("C3", A1Range(columns: 2..<3, startRow: 2, endRow: 3)),
        ("A:C", A1Range(columns: 0..<3)),
        ("2:5", A1Range(startRow: 1, endRow: 5)),
        ("S!A5:B", A1Range(sheet: "S", columns: 0..<2, startRow: 4)),
        ("'My Sheet'", A1Range(sheet: "My Sheet")),
        ("b12", A1Range(columns: 1..<2, startRow: 11, endRow: 12)),
        ("'It''s'!A1", A1Range(sheet: "It's", columns: 0..<1, startRow: 0, endRow: 1)),
        ("'a!b'!ZZZ10000000", A1Range(sheet: "a!b", columns: 18_277..<18_278, startRow: 9_999_999, endRow: 10_000_000)),
        ("'''!'!A1", A1Range(sheet: "'!", columns: 0..<1, startRow: 0, endRow: 1)),
    ]
    @Test(arguments: ranges)
    func readsRanges(text: String, expected: A1Range?) throws {
        #expect(try A1Range(parsing: text) == expected)
    }

    @Test(arguments: [
        "", "A", "5", "A:", ":", "A1:2", "A1:B2:C3", "A:5", "1:B", "'x", "Sheet1", "A0", "A-1", "A1B", "A١", "!A1",
        "'a'b!A1",
    ])
    func refusesWhatIsNoRange(text: String) {
        // `Sheet1` could be a cell in column SHEET; only a quoted name means a whole sheet.
        #expect(throws: SheetModelError.self) { try A1Range(parsing: text) }
    }

    @Test func randomReferencesComeBack() throws {
        let names = [nil, "Sheet1", "It's", "'", "''!'", "AB12", "räksmörgås 🍤", "a!b:c", "=1+1", " "]
        for _ in 0..<2_000 {
            let sheet = names.randomElement() ?? nil
            let left = Int.random(in: 0..<Limits.columns)
            let top = Int.random(in: 0..<9_000_000)
            let range = A1Range(
                sheet: sheet, columns: Bool.random() ? left..<Int.random(in: left..<Limits.columns) + 1 : nil,
                startRow: Bool.random() ? top : 0, endRow: Bool.random() ? top + .random(in: 1...1_000_000) : nil)
            guard let range else { continue }
            #expect(try A1Range(parsing: range.description) == range)
        }
    }
}

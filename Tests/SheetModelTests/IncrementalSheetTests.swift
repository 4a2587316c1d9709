import JSON
import Testing

@testable import SheetModel

/// Plans for sheets that keep their rows.
@Suite struct IncrementalSheetTests {
    private func sheet(_ columns: [Column], _ rows: [[JSON]]) throws -> CheckedSheet {
        try CheckedSheet(Sheet(name: "S", columns: columns, rows: rows), index: 0, timeZone: .utc)
    }

    private func requests(_ body: [UInt8]) throws -> [JSON] {
        try #require(try JSON(parsing: body)["requests"]?.array)
    }

    private static let contents: JSON = "userEnteredValue,userEnteredFormat.textFormat.link,textFormatRuns"

    @Test func placesFollowTheHeaderAndRunsFollowThePlaces() throws {
        let columns = [
            try Column(name: "a"), try Column(name: "b"), try Column(name: "l", type: .link), try Column(name: "c"),
        ]
        let places = try ColumnPlaces(of: columns, in: ["x", "b", "a", "", "l", "c"])
        #expect(places.indices == [2, 1, 4, 5])
        #expect(places.width == 6)
        let runs = places.runs([0, 1, 2, 3])
        #expect(runs.map(\.place) == [1, 4] && runs.map(\.columns) == [[1, 0], [2, 3]])
        #expect(places.runs([3]).map(\.place) == [5])
    }

    @Test func anIndexFindsEachKeyAndNoOther() throws {
        let rows: [[JSON]] = (0..<2_000).map { [.string("k\($0 % 50)"), JSON($0), JSON($0 / 50)] }
        let columns = try ["a", "v", "b"].map { try Column(name: $0) }
        let index = try KeyIndex(try sheet(columns, rows), index: 0, key: ["b", "a"])
        #expect(index.columns == [2, 0])
        for (number, row) in rows.enumerated() {
            let key: [CellValue] = [.number(row[2].double ?? -1), .text(row[0].string ?? "")]
            #expect(index.row(withKey: key) == number)
            #expect(index.row(withKey: key.reversed()) == nil)
        }
        #expect(index.row(withKey: [.text("0"), .text("k0")]) == nil)
        #expect(index.row(withKey: [.empty, .empty]) == nil)
    }

    @Test(arguments: [
        (["x", "y", "x"], 2, "rows[0]"), (["x", "y", "y", "x"], 2, "rows[1]"), (["x", ""], 1, "an empty key"),
        (["e\u{301}", "\u{E9}"], nil, ""),
    ])
    func anIndexRefusesWhatIsNotClear(keys: [String], row: Int?, words: String) throws {
        let sheet = try sheet([try Column(name: "k")], keys.map { [.string($0)] })
        do {
            let index = try KeyIndex(sheet, index: 3, key: ["k"])
            #expect(row == nil)
            #expect(keys.indices.allSatisfy { index.row(withKey: [.text(keys[$0])]) == $0 })
        } catch let error as SheetModelError {
            #expect(error.place == row.map { .row($0, sheet: 3) } && error.message.contains(words), "\(error)")
        }
    }

    @Test(arguments: [1, 500, 3_000, 1_000_000], [0, 1, 37, 100])
    func batchesHaveEveryRowOnceAndAreNotTooLarge(bytes: Int, from: Int) throws {
        let rows: [[JSON]] = (0..<100).map { [JSON($0), .string(String(repeating: "é", count: $0))] }
        let sheet = try sheet([try Column(name: "n"), try Column(name: "t")], rows)
        let existing = ExistingSheet(id: 4, title: "S", rows: 10, columns: 3)
        let plan = try AppendPlan(
            sheet, below: existing, of: [existing], places: ColumnPlaces(inOrder: 2), formats: nil, batchBytes: bytes)
        var batches = plan.batches(from: from)
        var found: [JSON] = []
        while let batch = try batches.next() {
            let requests = try requests(batch.body(with: [["guard": [:]]]))
            #expect(requests.count == 2 && requests[0] == ["guard": [:]])
            let append = requests[1]["appendCells"]
            #expect(append?["sheetId"] == 4 && append?["fields"] == Self.contents)
            let encoded = append?["rows"]?.array ?? []
            #expect(encoded.count == batch.rows && batch.rows > 0)
            #expect(batch.rows == 1 || batch.body(with: []).count < bytes + 200)
            found += encoded.compactMap { $0["values"]?[0]?["userEnteredValue"]?["numberValue"] }
            #expect(batch.end == from + found.count)
        }
        #expect(found == (from..<100).map { JSON($0) })
    }

    @Test func chosenRowsAreReadInTheirOrder() throws {
        let rows: [[JSON]] = (0..<50).map { [JSON($0)] }
        let chosen: [Int32] = [0, 1, 7, 8, 49]
        let selection = RowSelection(of: try sheet([try Column(name: "n")], rows).rows, chosen)
        for from in 0...chosen.count {
            var cursor = selection.cursor(from: from)
            var found: [String] = []
            while let line = try cursor.next() { found.append(String(decoding: line, as: UTF8.self)) }
            #expect(found == chosen[from...].map { "[\($0)]" })
        }
    }

    @Test func neighboursAreUpdatedTogether() throws {
        let columns = [try Column(name: "k"), try Column(name: "v"), try Column(name: "w")]
        let sheet = try sheet(columns, (0..<6).map { [JSON($0), "v", "w"] })
        var updates = RowUpdates(
            sheetID: 9, columns: columns, chosen: [1, 2], places: try ColumnPlaces(of: columns, in: ["w", "k", "v"]),
            batchBytes: 1_250)
        var lines = LineReader(sheet.rows)
        for (row, place) in [(0, 10), (1, 11), (2, 13)] {
            updates.add(try #require(try lines.line(row)), at: place)
        }
        #expect(updates.rows == 3 && !updates.isFull)
        let requests = try requests(updates.takeBody(with: [["guard": [:]]])).dropFirst().map { $0["updateCells"] }
        #expect(requests.map { $0?["start"]?["rowIndex"] } == [10, 10, 13, 13])
        #expect(requests.map { $0?["start"]?["columnIndex"] } == [0, 2, 0, 2])
        #expect(requests.map { $0?["rows"]?.array?.count } == [2, 2, 1, 1])
        #expect(requests[0]?["rows"]?[0]?["values"] == [["userEnteredValue": ["stringValue": "w"]]])
        #expect(updates.rows == 0)
        for row in 0..<6 { updates.add(try #require(try lines.line(row)), at: row * 2) }
        #expect(updates.isFull)
    }
}

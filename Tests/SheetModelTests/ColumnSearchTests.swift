import JSON
import Testing

@testable import SheetModel

/// Which columns of a sheet are a job's, where people have changed the sheet since.
@Suite struct ColumnSearchTests {
    private func place(
        _ names: [String], header: [String], marks: [Int: String] = [:], wrote: [String]? = nil, below: [[String]] = [],
        used: Set<Int> = [], table: SheetTable? = nil, otherTables: [SheetTable] = []
    ) throws -> SheetPlace {
        try SheetPlace(
            of: try names.map { try Column(name: $0) }, hasHeader: true, row: 0, header: header, below: below,
            used: used,
            earlier: WrittenColumns(try (wrote ?? names).map { try Column(name: $0) }, hasHeader: true),
            anchors: marks.map { ColumnAnchor(id: $0.key, column: $0.key, digest: ColumnAnchor.digest($0.value)) },
            table: table, otherTables: otherTables)
    }

    private func table(_ columns: Range<Int>, _ names: [String]) -> SheetTable {
        SheetTable(
            id: names[0], name: names[0], block: CellBlock(rows: 0..<3, columns: columns), columnNames: names)
    }

    @Test func anotherTableIsLeftAlone() throws {
        let (one, two) = (table(0..<2, ["a", "b"]), table(3..<5, ["c", "d"]))
        let (header, marks) = (["a", "b", "", "c", "d"], [0: "a", 1: "b", 3: "c", 4: "d"])
        let wrote = ["a", "b", "c", "d"]
        let inside = try place(["c", "d"], header: header, marks: marks, wrote: wrote, table: two, otherTables: [one])
        #expect(inside.columns == [3, 4] && inside.abandoned == [])
        let unmarked = try place(["c", "d"], header: header, wrote: wrote, table: two, otherTables: [one])
        #expect(unmarked.columns == [3, 4] && unmarked.abandoned == [])
        let beside = try place(["x"], header: header + ["x"], marks: marks, wrote: wrote, otherTables: [one, two])
        #expect(beside.columns == [5] && beside.abandoned == [])
    }

    @Test func whatShowsNoHeadingHereIsNotEmptied() throws {
        // The columns of another job whose header is in row 6.
        let other = try place(
            ["a", "b"], header: ["a", "b"], marks: [3: "c", 4: "d"], wrote: ["c", "d"], used: [3, 4])
        #expect(other.columns == [0, 1] && other.abandoned == [])
        // Cells that a person dragged to another column, where the mark does not follow.
        let dragged = try place(
            ["a", "b"], header: ["", "b", "", "", "a"], marks: [0: "a", 1: "b"], used: [0, 1, 4])
        #expect(dragged.columns == [4, 1] && dragged.abandoned == [])
        let without = try place(
            ["b"], header: ["", "b", "", "", "a"], marks: [0: "a", 1: "b"], wrote: ["a", "b"], used: [0, 1, 4])
        #expect(without.columns == [1] && without.abandoned == [])
    }

    @Test func aColumnWithoutAMarkIsSomebodysOwnWhereOthersHaveMarks() throws {
        let header = ["region", "", "", "sales"]
        let lacking = try place(
            ["region"], header: header, marks: [0: "region"], wrote: ["region", "sales"], used: [0, 3])
        #expect(lacking.abandoned == [])
        // Of a spreadsheet from before there were marks the names tell.
        #expect(try place(["region"], header: header, wrote: ["region", "sales"]).abandoned == [3])
        let spelled = try place(
            ["region", "sales"], header: ["region", "Sales", "", "sales"], marks: [0: "region", 1: "sales"],
            used: [0, 1, 3])
        #expect(spelled.columns == [0, 1] && spelled.abandoned == [])
        let renamed = try place(
            ["region", "sales"], header: ["region", "Umsatz", "", "sales"], marks: [0: "region", 1: "sales"],
            used: [0, 1, 3])
        #expect(renamed.columns[0] == 0 && ![1, 3].contains(renamed.columns[1]) && renamed.abandoned == [])
        let twice = try place(
            ["a", "a", "k"], header: ["a", "k", "", "a"], marks: [0: "a", 1: "k"], used: [0, 1, 3])
        #expect(twice.columns[0] == 0 && twice.columns[2] == 1 && ![0, 1, 3].contains(twice.columns[1]))
    }

    @Test func aColumnWithoutANameStaysWhereItIs() throws {
        let names = ["k", "", "v"]
        let again = try place(names, header: names, marks: [0: "k", 1: "", 2: "v"], used: [0, 1, 2])
        #expect(again.columns == [0, 1, 2])
        let moved = try place(names, header: ["v", "k", "x", ""], marks: [0: "v", 1: "k", 3: ""], used: [0, 1, 2, 3])
        #expect(moved.columns == [1, 3, 0] && moved.abandoned == [])
    }

    @Test func aSecondColumnOfTheNameThatTheJobLacksNowIsEmptiedAndTold() throws {
        let place = try place(
            ["a", "k"], header: ["a", "a", "k"], marks: [0: "a", 1: "a", 2: "k"], wrote: ["a", "a", "k"],
            used: [0, 1, 2])
        #expect(place.columns == [0, 2] && place.abandoned == [1])
        #expect(place.remarks == ["column B, which an earlier job wrote and this one lacks, is emptied"])
    }

    @Test func aHeaderFurtherBelowIsNotWrittenOver() throws {
        let error = #expect(throws: SheetModelError.self) {
            try place(
                ["region", "sales"], header: ["Report"], wrote: [], below: [["of May"], ["region", "sales"]],
                used: [0, 1])
        }
        #expect(error?.message.hasPrefix("row 3 of the sheet has the names") == true, "\(error?.message ?? "")")
    }
}

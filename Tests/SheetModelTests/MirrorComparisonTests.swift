import JSON
import TestSupport
import Testing

@testable import SheetModel

/// The three states of a mirrored sheet: what was written, what is to be there, and what is there.
@Suite struct MirrorComparisonTests {
    private static func sheet(_ rows: [[JSON]]) throws -> CheckedSheet {
        let columns = [try Column(name: "id"), try Column(name: "name"), try Column(name: "n", type: .number)]
        return try CheckedSheet(
            Sheet(name: "S", columns: columns, objectsOrArrays: JSONElements(rows.map(JSON.array))), index: 0,
            timeZone: .utc)
    }

    private static func cells(_ values: [CellValue]) -> [Cell] { values.map { Cell($0) } }

    /// Compares rows with a sheet, whose rows begin with the second.
    private static func compare(
        _ rows: [[JSON]], after base: MirrorBase = .empty, with found: [[CellValue]],
        onEdit: MirrorComparison.OnEdit = .overwrite, onDelete: MirrorComparison.OnDelete = .delete
    ) throws -> MirrorComparison {
        var comparison = MirrorComparison(
            try MirrorSource(try sheet(rows), key: ["id"]), base: base, onEdit: onEdit, onDelete: onDelete)
        for (index, values) in found.enumerated() { _ = try comparison.take(row: index + 1, cells(values)) }
        comparison.finish()
        return comparison
    }

    private static func base(_ rows: [[JSON]], keepingCells: Bool = false) throws -> MirrorBase {
        try MirrorSource(try sheet(rows), key: ["id"]).base(keepingCells: keepingCells)
    }

    @Test func tellsEachKindOfRow() throws {
        let base = try Self.base([[1, "a", 1], [2, "b", 2], [3, "c", 3], [4, "d", 4]])
        let comparison = try Self.compare(
            [[1, "a", 1], [2, "B", 2], [5, "e", 5], [4, "d", 4]], after: base,
            with: [
                [.number(3), .text("c"), .number(3)], [.text("x"), .text("foreign"), .empty],
                [.number(2), .text("b"), .number(2)], [.empty, .text("no key"), .empty],
                [.number(1), .text("a"), .number(1)], [.number(4), .text("edited"), .number(4)],
                [.number(1), .text("a copy"), .number(1)],
            ])
        #expect(comparison.deletions == [1])
        #expect(comparison.insertions == [2])
        #expect(
            comparison.updates == [
                MirrorComparison.Update(row: 3, source: 1, columns: [1]),
                MirrorComparison.Update(row: 6, source: 3, columns: [1]),
            ])
        var counts = MirrorComparison.Counts()
        (counts.inserted, counts.updated, counts.deleted, counts.unchanged) = (1, 2, 1, 1)
        #expect(comparison.counts == counts)
        #expect(comparison.corrected == 1 && comparison.repeated == 1)
    }

    @Test func leavesRowsAloneThatItDidNotWrite() throws {
        let found: [[CellValue]] = [[.number(1), .text("mine"), .empty], [.number(2), .text("b"), .number(2)]]
        #expect(try Self.compare([[2, "b", 2]], with: found).isEmpty)
        let known = try Self.compare([[2, "b", 2]], after: try Self.base([[1, "x", 1]]), with: found)
        #expect(known.deletions == [1])
        let copies = try Self.compare([], after: try Self.base([[1, "x", 1]]), with: found + found)
        #expect(copies.deletions == [1], "the second row of a key is somebody's copy")
    }

    @Test func keepsCellsThatPeopleChanged() throws {
        let base = try Self.base([[1, "a", 1]], keepingCells: true)
        let found: [[CellValue]] = [[.number(1), .text("mine"), .number(1)]]
        let first = try Self.compare([[1, "A", 2]], after: base, with: found, onEdit: .keep)
        #expect(first.updates == [MirrorComparison.Update(row: 1, source: 0, columns: [2])])
        #expect(first.counts.kept == 1)
        // The cell is the person's until he takes his change back.
        let second = try Self.compare(
            [[1, "AA", 2]], after: try first.newBase(), with: [[.number(1), .text("mine"), .number(2)]], onEdit: .keep)
        #expect(second.isEmpty && second.counts.kept == 1)
        let third = try Self.compare(
            [[1, "AA", 2]], after: try second.newBase(), with: [[.number(1), .text("a"), .number(2)]], onEdit: .keep)
        #expect(third.updates == [MirrorComparison.Update(row: 1, source: 0, columns: [1])])
    }

    @Test func keepsRowsThatLeftAndKnowsThemLater() throws {
        let base = try Self.base([[1, "a", 1], [2, "b", 2]])
        let found: [[CellValue]] = [[.number(1), .text("a"), .number(1)], [.number(2), .text("b"), .number(2)]]
        let kept = try Self.compare([[2, "b", 2]], after: base, with: found, onDelete: .keep)
        #expect(kept.isEmpty && kept.counts.kept == 1)
        #expect(try Self.compare([[2, "b", 2]], after: try kept.newBase(), with: found).deletions == [1])
    }

    @Test(arguments: [false, true]) func packsABaseAndReadsItAgain(keepsCells: Bool) throws {
        let rows = (0..<100).map { [JSON($0), .string("name \($0)"), JSON(Double($0) / 7)] as [JSON] }
        let base = try Self.base(rows, keepingCells: keepsCells)
        #expect(base.packed.count == 4 + 100 * (32 + (keepsCells ? 12 : 0)))
        #expect(MirrorBase(packed: base.packed) == base)
        for broken in [
            [], Array(base.packed.dropLast()), [255, 255, 255, 255], base.packed + [0], Array(base.packed.reversed()),
        ] {
            #expect(MirrorBase(packed: broken) == nil)
        }
        let more = base.merging(try Self.base([[1, "x", 1], [500, "y", 2]], keepingCells: keepsCells))
        #expect(more.count == 101 && MirrorBase(packed: more.packed) == more)
    }

    @Test func takesWhatAnInterruptedWriteBroughtForItsOwn() throws {
        let base = try Self.base([[1, "a", 1]], keepingCells: true)
        let begun = try Self.base([[1, "b", 1], [2, "new", 2]], keepingCells: true)
        for onEdit in MirrorComparison.OnEdit.allCases {
            var comparison = MirrorComparison(
                try MirrorSource(try Self.sheet([[1, "c", 1]]), key: ["id"]), base: base, pending: begun,
                onEdit: onEdit,
                onDelete: .delete)
            _ = try comparison.take(row: 1, Self.cells([.number(1), .text("b"), .number(1)]))
            _ = try comparison.take(row: 2, Self.cells([.number(2), .text("new"), .number(2)]))
            comparison.finish()
            #expect(comparison.updates == [MirrorComparison.Update(row: 1, source: 0, columns: [1])])
            #expect(comparison.deletions == [2] && comparison.counts.kept == 0 && comparison.corrected == 0)
        }
    }

    @Test func canonicalCellsAreWhatASheetHolds() throws {
        let column = try Column(name: "c")
        func same(_ one: CellValue, _ other: CellValue) -> Bool {
            CanonicalCell.areSame(Cell(one), Cell(other), in: column)
        }
        #expect(!same(.number(0.1 + 0.2), .number(0.3)) && same(.number(-0.0), .number(0)))
        #expect(!same(.number(9_007_199_254_740_991), .number(9_007_199_254_740_990)))
        #expect(!same(.number(1), .text("1")) && !same(.boolean(true), .number(1)) && !same(.empty, .boolean(false)))
        #expect(same(.text(""), .empty) && same(.text("a\r\nb\rc"), .text("a\nb\nc")))
        #expect(!same(.text("\u{C9}"), .text("E\u{301}")) && !same(.text("a "), .text("a")))
        #expect(!same(.text("=1"), .formula("=1")))
        let links = try Column(name: "l", type: .link)
        let (one, other) = (Cell(.text("t"), link: "https://a"), Cell(.text("t"), link: "https://b"))
        #expect(!CanonicalCell.areSame(one, other, in: links) && CanonicalCell.areSame(one, other, in: column))
    }

    @Test func refusesKeysThatASheetDoesNotTellApart() throws {
        #expect(throws: SheetModelError.self) {
            try MirrorSource(try Self.sheet([["a\r\nb", "x", 1], ["a\nb", "y", 2]]), key: ["id"])
        }
        _ = try MirrorSource(
            try Self.sheet([[10_000_000_000_000_000, "x", 1], [10_000_000_000_000_002, "y", 2]]), key: ["id"])
    }

    @Test func digestsDependOnNoOrderOfRows() throws {
        let one = try MirrorSource(try Self.sheet([[1, "a", 1], [2, "b", 2]]), key: ["id"])
        let other = try MirrorSource(try Self.sheet([[2, "b", 2], [1, "a", 1]]), key: ["id"])
        let third = try MirrorSource(try Self.sheet([[2, "a", 2], [1, "b", 1]]), key: ["id"])
        #expect(one.digest == other.digest && one.digest != third.digest)
    }
}

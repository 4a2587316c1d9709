/// Compares three states of a sheet row by row: what a mirror wrote the last time, what it is to hold now, and what it holds.
///
/// A row is the mirror's where the mirror wrote its key; all others are people's and left alone. A row of the sheet with a key
/// that is to be there is taken over, whoever wrote it.
public struct MirrorComparison: Sendable {
    /// What a person's change of a cell is worth.
    public enum OnEdit: String, Sendable, CaseIterable {
        /// The cell gets what it is to hold.
        case overwrite
        /// It stays until the person takes it back.
        case keep
    }

    /// What becomes of a row that is not to be there any more.
    public enum OnDelete: String, Sendable, CaseIterable {
        case delete, keep
    }

    /// Cells of a row of the sheet that get other values.
    public struct Update: Sendable, Hashable {
        /// The index of the row in the sheet.
        public let row: Int32
        /// The index of the row in the source.
        public let source: Int32
        /// The indices of the columns in the source.
        public let columns: [Int]
    }

    /// How many rows there were of each kind.
    public struct Counts: Sendable, Hashable {
        /// The rows that were added, changed, deleted and left as they are.
        public var (inserted, updated, deleted, unchanged) = (0, 0, 0, 0)
        /// The rows that stay other than they are to be: with a person's change, or although they are not to be there.
        public var kept = 0

        /// Rows that were added, or none.
        public init(inserted: Int = 0) { self.inserted = inserted }
    }

    /// The cells to write, from the top down.
    public private(set) var updates: [Update] = []
    /// The rows of the sheet to delete, from the top down.
    public private(set) var deletions: [Int] = []
    /// The rows of the source to add, in their order.
    public private(set) var insertions: [Int32] = []
    /// How many rows there were of each kind, once it is finished.
    public private(set) var counts = Counts()
    /// The rows of the sheet in which people had changed the mirror's cells, and that are put right.
    public private(set) var corrected = 0
    /// The rows that were there already, with the key of a row that is to be there, and with other cells.
    public private(set) var adopted = 0
    /// The rows of the sheet that have the key of an earlier one.
    public private(set) var repeated = 0

    /// What the sheet is to hold.
    public let source: MirrorSource
    private let base: MirrorBase
    /// What a write may have brought whose end nobody saw.
    private let pending: MirrorBase
    private let onEdit: OnEdit
    private let onDelete: OnDelete
    private let decoder: RowDecoder
    private var lines: LineReader
    /// Which rows of the source the sheet has, and which rows of the base it has that the source lacks.
    private var (isThere, hasLeft): ([Bool], [Bool])
    /// The rows that stay although they are not to be there.
    private var stayingRows: [Int] = []
    /// What stands for the cells of the rows with changes of people that stay, by the row's index in the source.
    private var keptCells: [Int: [UInt32]] = [:]

    /// Begins to compare.
    ///
    /// - Parameter pending: What a write may have brought whose end nobody saw, beside the base.
    public init(
        _ source: MirrorSource, base: MirrorBase, pending: MirrorBase = .empty, onEdit: OnEdit, onDelete: OnDelete
    ) {
        (self.source, self.onEdit, self.onDelete) = (source, onEdit, onDelete)
        // A row that was to be added counts as written.
        self.base = base.count == 0 ? pending : base.merging(pending.filtered { base.index(of: $0) == nil })
        self.pending = pending
        decoder = RowDecoder(source.sheet.columns)
        lines = LineReader(source.sheet.rows)
        isThere = Array(repeating: false, count: source.rows.count)
        hasLeft = Array(repeating: false, count: self.base.count)
    }

    /// Compares nothing and changes nothing.
    public init(changingNothingOf source: MirrorSource) {
        self.init(source, base: .empty, onEdit: .overwrite, onDelete: .keep)
    }

    /// Takes one more row of the sheet, from the top down.
    ///
    /// - Parameter found: The cells under the mirror's columns; a formula of a person's as what it shows.
    /// - Returns: The digest of its key; nil for none.
    public mutating func take(row: Int, _ found: [Cell]) throws -> Digest128? {
        let columns = source.sheet.columns
        let there = MirrorSource.row(found, columns, source.keyColumns)
        guard there.key != .none else { return nil }
        let known = base.index(of: there.key)
        guard let here = source.row(withKey: there.key) else {
            guard let known else { return there.key }
            // A second row of the key is a copy that somebody made.
            guard !hasLeft[known] else { return there.key }
            hasLeft[known] = true
            if onDelete == .delete { deletions.append(row) } else { stayingRows.append(known) }
            return there.key
        }
        guard !isThere[here] else {
            repeated += 1
            return there.key
        }
        isThere[here] = true
        guard there.cells != source.rows[here].cells else {
            counts.unchanged += 1
            return there.key
        }
        guard let line = try lines.line(here) else { return there.key }
        let wanted = try decoder.cells(of: line)
        var changed = columns.indices.filter { index in
            !source.keyColumns.contains(index)
                && !CanonicalCell.areSame(found[index], wanted[index], in: columns[index])
        }
        let started = pending.index(of: there.key)
        let isEdited =
            known.map { base.rows[$0].cells != there.cells } ?? false
            && started.map { pending.rows[$0].cells != there.cells } ?? true
        if known == nil { adopted += 1 }
        if onEdit == .keep, isEdited, let known, let cells = base.cells(of: known).map({ Array($0) }),
            cells.count == columns.count
        {
            let begun = started.flatMap { pending.cells(of: $0) }.map { Array($0) } ?? cells
            let edited = changed.filter { column in
                let now = CanonicalCell.short(found[column], of: columns[column])
                return now != cells[column] && (begun.count != columns.count || now != begun[column])
            }
            if !edited.isEmpty {
                changed.removeAll { edited.contains($0) }
                counts.kept += 1
                var now = zip(wanted, columns).map { CanonicalCell.short($0, of: $1) }
                for index in edited { now[index] = cells[index] }
                keptCells[here] = now
            }
        } else if isEdited, !changed.isEmpty, started == nil {
            corrected += 1
        }
        if !changed.isEmpty {
            counts.updated += 1
            updates.append(Update(row: Int32(row), source: Int32(here), columns: changed))
        } else if keptCells[here] == nil {
            counts.unchanged += 1
        }
        return there.key
    }

    /// Ends behind the last row of the sheet.
    public mutating func finish() {
        insertions = isThere.enumerated().lazy.filter { !$0.element }.map { Int32($0.offset) }
        counts.inserted = insertions.count
        counts.deleted = deletions.count
        counts.kept += stayingRows.count
    }

    /// What the write brings: the rows that are added and those that are changed.
    public func begun() throws -> MirrorBase {
        let chosen = insertions + updates.map(\.source)
        let rows = chosen.map { source.rows[Int($0)] }
        let width = source.sheet.columns.count
        guard onEdit == .keep, !chosen.isEmpty else { return MirrorBase(rows: rows, width: width) }
        let cells = try source.shortCells()
        return MirrorBase(rows: rows, width: width) { index in
            let row = Int(chosen[index])
            return cells[row * width..<(row + 1) * width]
        }
    }

    /// The keys of the rows that are added.
    public var insertedKeys: [Digest128] { insertions.map { source.rows[Int($0)].key } }

    /// How many rows stay other than they are to be because people changed them.
    public var editedRows: Int { keptCells.count }

    /// Whether nothing is to be written.
    public var isEmpty: Bool { updates.isEmpty && deletions.isEmpty && insertions.isEmpty }

    /// What the mirror has written once it is done.
    public func newBase() throws -> MirrorBase {
        let staying = stayingRows.map { base.rows[$0] }
        let rows = source.rows + staying
        guard onEdit == .keep else { return MirrorBase(rows: rows, width: source.sheet.columns.count) }
        let cells = try source.shortCells()
        let width = source.sheet.columns.count
        return MirrorBase(rows: rows, width: width) { index in
            if index < source.rows.count { return keptCells[index]?[...] ?? cells[index * width..<(index + 1) * width] }
            let old = base.cells(of: stayingRows[index - source.rows.count])
            return old?.count == width ? old ?? [] : Array(repeating: 0, count: width)[...]
        }
    }
}

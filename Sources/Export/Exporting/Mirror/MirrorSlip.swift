import JSON
import SheetModel

/// A write of a mirror that met another sheet than the one that was read: somebody moved rows or columns in between.
///
/// What it changed in the wrong places is put back from what was read before it.
struct MirrorSlip: Sendable {
    /// Whether the write's own answer told so.
    private(set) var isCertain = false
    private let comparison: MirrorComparison
    private let before: MirrorSnapshot
    private let places: ColumnPlaces
    /// The rows that were deleted.
    private let gone: Set<Int>
    private let bodyEnd: Int?
    /// Whether rows were added at places that were known before, which others may have taken meanwhile.
    private let addsInPlace: Bool

    /// Compares the sheet as it is behind the write with what it should be; nil where it is.
    ///
    /// - Parameters:
    ///   - header: What the header shows now.
    ///   - keys: The values of the key's columns from the sheet's first row on.
    ///   - bodyEnd: The row behind the last one of the table that the rows are in.
    init?(
        _ comparison: MirrorComparison, deleting strays: [Int], _ before: MirrorSnapshot, places: ColumnPlaces,
        header: [String], keys: [[CellValue]], bodyEnd: Int?, addsInPlace: Bool
    ) {
        self.init(comparison, deleting: strays, before, places: places, bodyEnd: bodyEnd, addsInPlace: addsInPlace)
        let last = keys.map(\.count).max() ?? 0
        func key(_ row: Int) -> Digest128 { MirrorSource.key(keys.map { row < $0.count ? $0[row] : .empty }) }
        if isAsExpected(header: header, keys: (before.firstRow..<max(before.firstRow, last)).map(key)) { return nil }
        isCertain = true
    }

    /// Takes a write for one that may have met another sheet, because its end is not known.
    init(
        _ comparison: MirrorComparison, deleting strays: [Int], _ before: MirrorSnapshot, places: ColumnPlaces,
        bodyEnd: Int?, addsInPlace: Bool
    ) {
        self.addsInPlace = addsInPlace
        gone = Set(comparison.deletions + strays)
        (self.comparison, self.before, self.places, self.bodyEnd) = (comparison, before, places, bodyEnd)
    }

    /// Whether the sheet is as the write should have left it.
    private func isAsExpected(header: [String], keys now: [Digest128]) -> Bool {
        func shown(_ texts: [String], _ place: Int) -> String { place < texts.count ? texts[place] : "" }
        let isHeaderSame = places.indices.allSatisfy { place in
            // A name that the write itself put there was not there before.
            shown(before.header, place).isEmpty || shown(before.header, place) == shown(header, place)
        }
        var expected = before.keys.indices.filter { !gone.contains(before.firstRow + $0) }.map { before.keys[$0] }
        if let bodyEnd { expected.removeLast(max(0, expected.count - max(0, bodyEnd - gone.count - before.firstRow))) }
        while expected.last == Digest128.none { expected.removeLast() }
        guard isHeaderSame, now.count >= expected.count, now.prefix(expected.count).elementsEqual(expected) else {
            return false
        }
        var inserted = comparison.insertedKeys[...]
        for key in now.dropFirst(expected.count) where key == inserted.first { inserted.removeFirst() }
        return inserted.isEmpty
    }

    /// What puts the sheet right that was read after the write, beside what a new comparison finds.
    func repairs(in now: MirrorSnapshot, places: ColumnPlaces, among source: MirrorSource) -> MirrorRepairs {
        var repairs = MirrorRepairs()
        if isAsExpected(header: now.header, keys: now.keys) { return repairs }
        let rowNow = Self.firstRows(now)
        let rowBefore = Self.firstRows(before)
        // Where a column is by now, and where it was.
        let columns = ColumnMoves(from: before.header, to: now.header)
        let known = putBackCells(now, places, source, rowBefore, columns, &repairs)
        putBackRows(now, source, rowNow, columns, except: known, &repairs)
        if before.header != now.header {
            findStrays(now, source, rowNow, &repairs)
            // A row that the write added has nothing of other people under columns that are theirs by now.
            for row in comparison.insertedKeys.compactMap({ rowNow[$0] }) {
                let values = now.values(ofRow: row)
                for place in self.places.indices where !places.indices.contains(place) {
                    if !Self.value(values, place).isNull { repairs.cells.append((row, place, .null)) }
                }
            }
        }
        return repairs
    }

    /// Cells that were written into rows or columns of other people.
    ///
    /// - Returns: The rows, by their places before, that are there although cells of them are others.
    private func putBackCells(
        _ now: MirrorSnapshot, _ placesNow: ColumnPlaces, _ source: MirrorSource, _ rowBefore: [Digest128: Int],
        _ columns: ColumnMoves, _ repairs: inout MirrorRepairs
    ) -> Set<Int> {
        let own = Set(placesNow.indices)
        let keyPlaces = Set(source.keyColumns.map { placesNow.indices[$0] })
        var known: Set<Int> = []
        var deleted = 0
        var deletions = comparison.deletions[...]
        for update in comparison.updates {
            while let first = deletions.first, first < Int(update.row) {
                deletions.removeFirst()
                deleted += 1
            }
            let row = Int(update.row) - deleted
            guard row >= now.firstRow, row - now.firstRow < now.keys.count else { continue }
            let key = now.keys[row - now.firstRow]
            let values = now.values(ofRow: row)
            let written = Set(update.columns.map { places.indices[$0] })
            var former: Int?
            // Where columns were moved, the key itself may be written over; the row stands where it stood.
            if before.header != now.header {
                let there = columns.moved(before.values(ofRow: Int(update.row)))
                if Self.areSame(there, values, except: written) { former = Int(update.row) }
            }
            former = former ?? (key == .none ? unkeyed(like: values, except: written) : rowBefore[key])
            if let former { known.insert(former) }
            let originals = former.map(before.values) ?? []
            for place in written.sorted() {
                // A comparison sees to the job's own cells, once the keys are what they were.
                let isOwnCell = own.contains(place) && !keyPlaces.contains(place)
                if isOwnCell, key != .none, source.hasRow(withKey: key) { continue }
                guard let former else {
                    // A row that was not there before had nothing under the job's columns, as far as anybody knows.
                    if key == .none, own.contains(place) { repairs.cells.append((row, place, .null)) }
                    continue
                }
                // Where a column came from whose heading says nothing is not known.
                guard let formerPlace = columns.placeBefore(of: place) else { continue }
                var original = Self.value(originals, formerPlace)
                // A formula of another row means other cells.
                if former != row, let shown = original["shown"] { original = shown }
                if original != Self.value(values, place) { repairs.cells.append((row, place, original)) }
            }
        }
        return known
    }

    /// Rows that were deleted in place of others, and what people had beside those that the job brings back itself.
    private func putBackRows(
        _ now: MirrorSnapshot, _ source: MirrorSource, _ rowNow: [Digest128: Int], _ columns: ColumnMoves,
        except known: Set<Int>, _ repairs: inout MirrorRepairs
    ) {
        // Which of the rows that are gone somebody else took away in that moment cannot be told.
        guard !gone.isEmpty || addsInPlace && !comparison.insertions.isEmpty else { return }
        var unkeyed: [[JSON]: Int] = [:]
        for (index, key) in now.keys.enumerated() where key == .none {
            unkeyed[Self.trimmed(now.values(ofRow: now.firstRow + index).map { $0["shown"] ?? $0 }), default: 0] += 1
        }
        for (index, key) in before.keys.enumerated() {
            let row = before.firstRow + index
            guard !gone.contains(row), !known.contains(row) else { continue }
            let values = columns.moved(before.values(ofRow: row)).map { $0["shown"] ?? $0 }
            if key == .none {
                let line = Self.trimmed(values)
                guard !line.isEmpty else { continue }
                if let count = unkeyed[line], count > 0 {
                    unkeyed[line] = count - 1
                    continue
                }
            } else if rowNow[key] != nil {
                continue
            }
            if source.hasRow(withKey: key) { repairs.owed[key] = values } else { repairs.rows.append(values) }
        }
    }

    /// Rows that were added under columns which are others by now.
    private func findStrays(
        _ now: MirrorSnapshot, _ source: MirrorSource, _ rowNow: [Digest128: Int], _ repairs: inout MirrorRepairs
    ) {
        let wanted = Set(zip(comparison.insertions, comparison.insertedKeys).filter { rowNow[$1] == nil }.map(\.0))
        guard !wanted.isEmpty else { return }
        let cells = MirrorCells(columns: source.sheet.columns, places: places)
        for index in now.keys.indices where !source.hasRow(withKey: now.keys[index]) {
            let values = now.values(ofRow: now.firstRow + index).map { MirrorSnapshot.cellData($0) }
            let row = cells.cells(of: values)
            if wanted.contains(where: { source.isRow($0, in: row) }) { repairs.strays.append(now.firstRow + index) }
        }
    }

    /// The row without a key that was the same before, but for some columns.
    private func unkeyed(like values: [JSON], except columns: Set<Int>) -> Int? {
        func rest(_ values: [JSON]) -> [JSON] {
            Self.trimmed(values.enumerated().map { columns.contains($0.offset) ? .null : $0.element })
        }
        let wanted = rest(values)
        guard !wanted.isEmpty else { return nil }
        return before.keys.indices.first {
            before.keys[$0] == .none && rest(before.values(ofRow: before.firstRow + $0)) == wanted
        }
        .map { before.firstRow + $0 }
    }

    /// Whether two rows are the same but for some columns.
    private static func areSame(_ one: [JSON], _ other: [JSON], except columns: Set<Int>) -> Bool {
        (0..<max(one.count, other.count)).allSatisfy { columns.contains($0) || value(one, $0) == value(other, $0) }
    }

    private static func firstRows(_ snapshot: MirrorSnapshot) -> [Digest128: Int] {
        var rows: [Digest128: Int] = [:]
        for (index, key) in snapshot.keys.enumerated() where key != .none && rows[key] == nil {
            rows[key] = snapshot.firstRow + index
        }
        return rows
    }

    private static func value(_ values: [JSON], _ place: Int) -> JSON { place < values.count ? values[place] : .null }

    private static func trimmed(_ values: [JSON]) -> [JSON] {
        var values = values
        while values.last?.isNull == true { values.removeLast() }
        return values
    }
}

/// Which column of a sheet became which, by their headings.
private struct ColumnMoves {
    private let before: [String]
    private let now: [String]

    /// Where the columns without a heading were, where there are as many as before.
    private let unheaded: [Int: Int]

    init(from before: [String], to now: [String]) {
        (self.before, self.now) = (before, now)
        let width = max(before.count, now.count)
        func blank(_ header: [String]) -> [Int] {
            (0..<width).filter { $0 >= header.count || header[$0].isEmpty }
        }
        let (former, present) = (blank(before), blank(now))
        unheaded =
            former.count == present.count ? Dictionary(uniqueKeysWithValues: zip(present, former)) : [:]
    }

    /// Where a column was; nil for one that was not there.
    func placeBefore(of place: Int) -> Int? {
        guard before != now else { return place }
        guard place < now.count, !now[place].isEmpty else { return unheaded[place] }
        return before.firstIndex(of: now[place])
    }

    /// The values of a row in the order that the columns have now.
    func moved(_ values: [JSON]) -> [JSON] {
        guard before != now else { return values }
        return now.indices.map { place in
            guard let former = placeBefore(of: place), former < values.count else { return .null }
            return values[former]
        }
    }
}

/// What puts a sheet right after a slip.
struct MirrorRepairs: Sendable {
    /// Cells that get back what they held, as values of JSON.
    var cells: [(row: Int, column: Int, value: JSON)] = []
    /// Rows of people that are added again.
    var rows: [[JSON]] = []
    /// Rows that a write added in the wrong columns.
    var strays: [Int] = []
    /// What people had beside rows that the job adds again, by the rows' keys.
    var owed: [Digest128: [JSON]] = [:]

    var isEmpty: Bool { cells.isEmpty && rows.isEmpty && strays.isEmpty }

    /// Puts what people had beside rows of the job into those of them that the sheet has again.
    mutating func settle(in now: MirrorSnapshot, places: ColumnPlaces) {
        guard !owed.isEmpty else { return }
        let own = Set(places.indices)
        for (index, key) in now.keys.enumerated() {
            guard let values = owed.removeValue(forKey: key) else { continue }
            for (column, value) in values.enumerated() where !own.contains(column) && !value.isNull {
                cells.append((now.firstRow + index, column, value))
            }
        }
    }

    /// The requests for all but the strays.
    func requests(on sheetID: Int) -> [JSON] {
        var requests = cells.map { cell in
            SheetMirror.write(
                MirrorSnapshot.enteredData(cell.value), atRow: cell.row, column: cell.column, on: sheetID,
                fields: "userEnteredValue,userEnteredFormat.textFormat.link,textFormatRuns")
        }
        if !rows.isEmpty {
            requests.append([
                "appendCells": [
                    "sheetId": JSON(sheetID), "fields": "userEnteredValue",
                    "rows": .array(rows.map { ["values": .array($0.map(MirrorSnapshot.enteredData))] }),
                ]
            ])
        }
        return requests
    }
}

extension MirrorSnapshot {
    /// Google's `ExtendedValue` of a value as `values` gives it.
    private static func extended(_ value: JSON) -> JSON? {
        switch value {
        case .number: ["numberValue": value]
        case .bool: ["boolValue": value]
        case .string: ["stringValue": value]
        case .null, .array, .text, .object: nil
        }
    }

    /// Google's `CellData` that shows a value.
    static func cellData(_ value: JSON) -> JSON {
        extended(value["shown"] ?? value).map { ["effectiveValue": $0] } ?? [:]
    }

    /// Google's `CellData` that enters a value.
    static func enteredData(_ value: JSON) -> JSON {
        if let formula = value["formula"] { return ["userEnteredValue": ["formulaValue": formula]] }
        return extended(value).map { ["userEnteredValue": $0] } ?? [:]
    }
}

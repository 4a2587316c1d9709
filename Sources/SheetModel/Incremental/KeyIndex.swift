/// Finds the row of a job that has a key; it holds a digest of each key and not the keys.
public struct KeyIndex: Sendable {
    private struct Entry {
        let digest: UInt64
        let row: Int32
    }

    /// The indices of the columns that make the key.
    public let columns: [Int]
    private let salt: UInt64
    /// Ordered by their digests, each of which stands once.
    private let entries: [Entry]

    /// Indexes the rows of a sheet; refused are two with the same key, and one whose key is empty.
    ///
    /// - Parameters:
    ///   - index: The index of the sheet, for errors.
    ///   - key: The names of the columns that make the key.
    public init(_ sheet: CheckedSheet, index: Int, key: [String]) throws {
        let places = Dictionary(
            sheet.columns.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        let columns = try key.map { name in
            guard let column = places[name] else {
                throw SheetModelError(.key, at: .sheet(index), "has no column \(excerpt(name)) for the key")
            }
            guard sheet.columns[column].type != .formula else {
                throw SheetModelError(
                    .key, at: .column(column, sheet: index), "holds formulas, which cannot be a key")
            }
            return column
        }
        self.columns = columns
        while true {
            let salt = UInt64.random(in: 0 ... .max)
            let entries = try Self.entries(sheet, index, columns, salt)
            guard try Self.haveOwnDigests(entries, sheet, index, columns) else { continue }
            self.salt = salt
            self.entries = entries
            return
        }
    }

    private static func entries(
        _ sheet: CheckedSheet, _ index: Int, _ columns: [Int], _ salt: UInt64
    ) throws -> [Entry] {
        let decoder = RowDecoder(sheet.columns)
        var entries: [Entry] = []
        entries.reserveCapacity(sheet.rows.count)
        var cursor = sheet.rows.cursor(from: 0)
        while let line = try cursor.next() {
            if entries.count.isMultiple(of: 1_000) { try SheetModelError.checkCancellation() }
            let cells = try decoder.cells(of: line)
            guard let digest = digest(of: columns.map { cells[$0].value }, salt) else {
                throw SheetModelError(.key, at: .row(entries.count, sheet: index), "has an empty key")
            }
            entries.append(Entry(digest: digest, row: Int32(entries.count)))
        }
        entries.sort { ($0.digest, $0.row) < ($1.digest, $1.row) }
        return entries
    }

    /// Whether no two keys have the same digest; throws where that is because they are the same.
    private static func haveOwnDigests(
        _ entries: [Entry], _ sheet: CheckedSheet, _ index: Int, _ columns: [Int]
    ) throws -> Bool {
        let decoder = RowDecoder(sheet.columns)
        func key(_ row: Int32) throws -> [CellValue] {
            var cursor = sheet.rows.cursor(from: Int(row))
            let cells = try cursor.next().map(decoder.cells) ?? []
            return columns.map { cells[$0].value }
        }
        var isClear = true
        var double: (first: Int32, second: Int32)?
        for (one, other) in zip(entries, entries.dropFirst()) where one.digest == other.digest {
            guard double.map({ other.row < $0.second }) ?? true else { continue }
            if try zip(key(one.row), key(other.row)).allSatisfy({ $0.isExactly($1) }) {
                double = (one.row, other.row)
            } else {
                isClear = false
            }
        }
        if let double {
            throw SheetModelError(
                .key, at: .row(Int(double.second), sheet: index),
                "has the same key as rows[\(double.first)]; leave one of the two out")
        }
        return isClear
    }

    /// The row that has a key, most likely: another key may have the same digest, though hardly ever; nil for none.
    public func row(withKey values: [CellValue]) -> Int? {
        guard let digest = Self.digest(of: values, salt) else { return nil }
        let place = entries.sortedIndex(behind: { $0.digest < digest })
        return place < entries.count && entries[place].digest == digest ? Int(entries[place].row) : nil
    }

    /// The digest of a key; nil for one that is empty in all its columns.
    private static func digest(of values: [CellValue], _ salt: UInt64) -> UInt64? {
        guard values.contains(where: { $0 != .empty }) else { return nil }
        var hasher = Hasher()
        hasher.combine(salt)
        for value in values {
            switch value {
            case .empty: hasher.combine(0)
            case .number(let number):
                hasher.combine(1)
                hasher.combine(number)
            case .boolean(let truth):
                hasher.combine(2)
                hasher.combine(truth)
            case .text(let text), .formula(let text):
                hasher.combine(3)
                hasher.combine(text.utf8.count)
                for byte in text.utf8 { hasher.combine(byte) }
            }
        }
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }
}

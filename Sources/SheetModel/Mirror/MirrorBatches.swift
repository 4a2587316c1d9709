public import JSON

/// The writes of a mirror: cells of rows that are there, deletions from the bottom up, and rows that are added.
///
/// What does not fit into one write goes before it, as changes of cells alone, which move nothing, and behind it, as rows that
/// are added at the end.
public struct MirrorBatches: Sendable {
    /// One write.
    public struct Batch: Sendable {
        /// The rows that it adds; nil for none.
        fileprivate let rows: AppendBatch?
        fileprivate let changes: [UInt8]
        /// Whether it is the last one.
        public let isLast: Bool

        /// The body for `spreadsheets.batchUpdate`.
        ///
        /// - Parameters:
        ///   - guards: Requests that stand or fall with it.
        ///   - ranges: What the answer shows, in A1 notation.
        public func body(with guards: [JSON], showing ranges: [String]) -> [UInt8] {
            AppendBatch.body(rows, with: guards, changes: changes, showing: ranges)
        }
    }

    private let comparison: MirrorComparison
    /// The rows of the sheet to delete, from the top down.
    private let deletions: [Int]
    private let sheetID: Int
    private var updates: RowUpdates
    private var lines: LineReader
    private var nextUpdate = 0
    private var insertions: AppendBatches?
    /// Whether the rows are deleted, and whether all is done.
    private var (hasMoved, isDone) = (false, false)

    /// Plans the writes.
    ///
    /// - Parameters:
    ///   - strays: Rows of the sheet that are deleted beside those of the comparison.
    ///   - insertions: The rows to add, planned for the sheet as it is after the deletions; nil for none.
    public init(
        _ comparison: MirrorComparison, deleting strays: [Int] = [], sheetID: Int, places: ColumnPlaces,
        insertions: AppendPlan?, batchBytes: Int
    ) {
        self.comparison = comparison
        deletions = strays.isEmpty ? comparison.deletions : Set(comparison.deletions + strays).sorted()
        self.sheetID = sheetID
        let columns = comparison.source.sheet.columns
        updates = RowUpdates(
            sheetID: sheetID, columns: columns, chosen: Array(columns.indices), places: places, batchBytes: batchBytes)
        lines = LineReader(comparison.source.sheet.rows)
        self.insertions = insertions?.batches()
    }

    /// The next write; nil behind the last one.
    public mutating func next() throws -> Batch? {
        guard !isDone else { return nil }
        while nextUpdate < comparison.updates.count {
            let update = comparison.updates[nextUpdate]
            nextUpdate += 1
            guard let line = try lines.line(Int(update.source)) else { continue }
            updates.add(line, at: Int(update.row), columns: update.columns)
            if updates.isFull, nextUpdate < comparison.updates.count {
                return Batch(rows: nil, changes: updates.takeRequests(), isLast: false)
            }
        }
        let changes = hasMoved ? [] : lastChanges()
        hasMoved = true
        let rows = try insertions?.next()
        isDone = rows.map { $0.end >= comparison.insertions.count } ?? true
        return Batch(rows: rows, changes: changes, isLast: isDone)
    }

    /// The changes that are left, and the deletions.
    private mutating func lastChanges() -> [UInt8] {
        var requests = updates.takeRequests()
        for rows in deletions.runs.reversed() {
            if !requests.isEmpty { requests.append(UInt8(ascii: ",")) }
            requests +=
                ([
                    "deleteDimension": [
                        "range": [
                            "sheetId": JSON(sheetID), "dimension": "ROWS", "startIndex": JSON(rows.lowerBound),
                            "endIndex": JSON(rows.upperBound),
                        ]
                    ]
                ] as JSON).bytes
        }
        return requests
    }

    /// The requests that hide or show columns and put notes on their headings, as the columns ask for.
    public static func settings(of columns: [Column], at places: ColumnPlaces, sheetID: Int, headerRow: Int) -> [JSON] {
        SheetRequests(id: sheetID).settings(of: columns, at: places.indices, headerRow: headerRow)
    }
}

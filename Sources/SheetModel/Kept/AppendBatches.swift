public import JSON

/// The batches of rows to append, one after another; only one of them is in memory.
public struct AppendBatches: Sendable {
    private let plan: AppendPlan
    private var cursor: any RowCursor
    private var row: Int
    private var start: [JSON]
    /// That of all rows before the next one.
    private var digest: RowDigest
    /// A row that did not fit into the last batch.
    private var waiting: ArraySlice<UInt8>?

    init(plan: AppendPlan, from row: Int, behind digest: RowDigest) {
        self.plan = plan
        self.row = row
        self.digest = digest
        start = plan.start
        cursor = plan.rows.cursor(from: row)
    }

    /// The next batch; nil behind the last one.
    public mutating func next() throws -> AppendBatch? {
        var rows: [UInt8] = []
        var count = 0
        while let line = try takeLine() {
            let next = try plan.encoder.row(line)
            if count > 0 {
                guard rows.count + next.count < plan.batchBytes else {
                    waiting = line
                    break
                }
                rows.append(UInt8(ascii: ","))
            }
            rows += next
            digest.add(line)
            count += 1
        }
        guard count > 0 || !start.isEmpty else { return nil }
        defer { start = [] }
        row += count
        return AppendBatch(
            rows: count, end: row, digest: digest, start: start, sheetID: plan.summary.id, fields: plan.encoder.fields,
            encoded: rows)
    }

    private mutating func takeLine() throws -> ArraySlice<UInt8>? {
        guard let line = waiting else { return try cursor.next() }
        waiting = nil
        return line
    }
}

/// Rows to append by one write.
public struct AppendBatch: Sendable {
    /// How many rows it has.
    public let rows: Int
    /// How many rows are there behind it.
    public let end: Int
    /// The digest of all of those.
    public let digest: RowDigest
    fileprivate let start: [JSON]
    fileprivate let sheetID: Int
    fileprivate let fields: String
    fileprivate let encoded: [UInt8]

    /// The body for `spreadsheets.batchUpdate`, with requests that stand or fall with the rows.
    public func body(with guards: [JSON]) -> [UInt8] {
        var writer = JSONWriter(reserving: encoded.count + 1_000)
        writer.object { batch in
            batch.array("requests") { requests in
                for request in start + guards { requests.element(request) }
                guard rows > 0 else { return }
                requests.object {
                    $0.object("appendCells") { append in
                        append.member("sheetId", JSON(sheetID))
                        append.member("fields", .string(fields))
                        append.array("rows") { $0.raw(encoded) }
                    }
                }
            }
        }
        return writer.bytes
    }
}

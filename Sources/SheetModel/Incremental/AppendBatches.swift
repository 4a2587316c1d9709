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
    /// The rows that earlier batches brought, and those of the grid behind them.
    private var sent = 0
    private var gridRows: Int

    init(plan: AppendPlan, from row: Int, behind digest: RowDigest) {
        self.plan = plan
        self.row = row
        self.digest = digest
        start = plan.start
        gridRows = plan.gridRows
        cursor = plan.rows.cursor(from: row)
    }

    /// The next batch; nil behind the last one.
    public mutating func next() throws -> AppendBatch? {
        let (requests, count) = try takeRequests()
        guard count > 0 || !start.isEmpty else { return nil }
        defer { start = [] }
        row += count
        sent += count
        return AppendBatch(rows: count, end: row, digest: digest, start: start, requests: requests)
    }

    /// The requests for as many rows as fit, with commas between, and how many those are.
    private mutating func takeRequests() throws -> (requests: [UInt8], count: Int) {
        if case .row(let first) = plan.below { return try takeUpdates(from: first + sent) }
        var rows: [UInt8] = []
        var next = JSONWriter()
        var count = 0
        while let line = try takeLine() {
            next.removeAll()
            plan.encoder.append(line, to: &next)
            if count > 0 {
                guard rows.count + next.count < plan.batchBytes else {
                    waiting = line
                    break
                }
                rows.append(UInt8(ascii: ","))
            }
            rows += next.bytes
            digest.add(line)
            count += 1
        }
        guard count > 0 else { return ([], 0) }
        var writer = JSONWriter(reserving: rows.count + 1_000)
        writer.object {
            $0.object("appendCells") { append in
                if case .table(let table) = plan.below {
                    append.member("tableId", .string(table.id))
                } else {
                    append.member("sheetId", JSON(plan.summary.id))
                }
                append.member("fields", .string(plan.encoder.fields))
                append.array("rows") { $0.raw(rows) }
            }
        }
        return (writer.bytes, count)
    }

    /// The same for rows whose places are known: what stands between the job's columns stays.
    private mutating func takeUpdates(from first: Int) throws -> (requests: [UInt8], count: Int) {
        var updates = RowUpdates(
            sheetID: plan.summary.id, columns: plan.columns, chosen: Array(plan.columns.indices), places: plan.places,
            batchBytes: plan.batchBytes)
        var count = 0
        while let line = try takeLine() {
            guard count == 0 || !updates.isFull else {
                waiting = line
                break
            }
            updates.add(line, at: first + count)
            digest.add(line)
            count += 1
        }
        guard count > 0 else { return ([], 0) }
        let make = SheetRequests(id: plan.summary.id)
        var requests: [JSON] = []
        if first + count > gridRows {
            requests.append([
                "appendDimension": [
                    "sheetId": JSON(plan.summary.id), "dimension": "ROWS", "length": JSON(first + count - gridRows),
                ]
            ])
            gridRows = first + count
        }
        for (place, format) in zip(plan.places.indices, plan.formats) {
            guard let format, !format.isNull else { continue }
            requests.append(
                make.format(
                    ["numberFormat": format], rows: first..<first + count, columns: place..<place + 1,
                    fields: "userEnteredFormat.numberFormat"))
        }
        let head = JSON.array(requests).bytes.dropFirst().dropLast()
        return (head + (head.isEmpty ? [] : [UInt8(ascii: ",")]) + updates.takeRequests(), count)
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
    /// Those that bring the rows, with commas between.
    fileprivate let requests: [UInt8]

    /// The body for `spreadsheets.batchUpdate`, with requests that stand or fall with the rows.
    public func body(with guards: [JSON]) -> [UInt8] {
        Self.body(start + guards, requests) { _ in }
    }

    /// The body of a batch that changes other rows too, and that Google answers with a part of the spreadsheet.
    ///
    /// - Parameters:
    ///   - batch: The rows to append; nil for none.
    ///   - changes: Requests that come before the rows, with commas between.
    ///   - ranges: What the answer shows, in A1 notation.
    static func body(
        _ batch: AppendBatch?, with guards: [JSON], changes: [UInt8], showing ranges: [String]
    ) -> [UInt8] {
        let rows = batch?.requests ?? []
        let comma = changes.isEmpty || rows.isEmpty ? [] : [UInt8(ascii: ",")]
        return body((batch?.start ?? []) + guards, changes + comma + rows) { body in
            guard !ranges.isEmpty else { return }
            body.member("includeSpreadsheetInResponse", true)
            body.member("responseIncludeGridData", true)
            body.member("responseRanges", .array(ranges.map(JSON.string)))
        }
    }

    private static func body(
        _ first: [JSON], _ rest: [UInt8], _ options: (inout JSONWriter) -> Void
    ) -> [UInt8] {
        var writer = JSONWriter(reserving: rest.count + 1_000)
        writer.object { batch in
            batch.array("requests") { all in
                for request in first { all.element(request) }
                if !rest.isEmpty { all.raw(rest) }
            }
            options(&batch)
        }
        return writer.bytes
    }
}

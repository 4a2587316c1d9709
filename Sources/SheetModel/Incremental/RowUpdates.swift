public import JSON

/// Writes of whole rows of a job to the places where they stand, collected into batches.
public struct RowUpdates: Sendable {
    private let sheetID: Int
    private let encoder: RowEncoder
    private let places: ColumnPlaces
    /// The columns that are written, all of them or of the rows that are being collected.
    private let all: [Int]
    private var chosen: [Int]
    private var runs: [(place: Int, columns: [Int])]
    private let batchBytes: Int
    /// What the columns ask for beside values; goes with the first batch.
    private var settings: [JSON]
    /// Finished requests, with commas between.
    private var requests: [UInt8] = []
    private var requestCount = 0
    /// Rows that follow each other: for each run of columns their `RowData`, with commas between.
    private var blocks: [JSONWriter]
    private var firstRow = 0
    private var count = 0
    /// The rows that are in the next batch.
    public private(set) var rows = 0

    // What stands around the rows of one request, rounded up.
    private static let frame = 200

    /// Makes an empty collection for one sheet.
    ///
    /// - Parameters:
    ///   - chosen: The indices of the columns that are written.
    ///   - headerRow: The index of the row with the header.
    public init(
        sheetID: Int, columns: [Column], chosen: [Int], places: ColumnPlaces, headerRow: Int = 0, batchBytes: Int
    ) {
        self.sheetID = sheetID
        encoder = RowEncoder(columns: columns)
        (self.places, all, self.chosen) = (places, chosen, chosen)
        runs = places.runs(chosen)
        blocks = Array(repeating: JSONWriter(), count: runs.count)
        self.batchBytes = batchBytes
        settings = SheetRequests(id: sheetID).settings(of: columns, at: places.indices, headerRow: headerRow)
    }

    /// Whether the batch has become large enough to be sent.
    public var isFull: Bool {
        requests.count + blocks.reduce(0) { $0 + $1.count + Self.frame } > batchBytes
            || requestCount + runs.count > Limits.requests / 2
    }

    /// Adds a row; rows that follow each other are best given one after another.
    ///
    /// - Parameter some: The columns of the row that are written; nil for all.
    public mutating func add(_ line: ArraySlice<UInt8>, at row: Int, columns some: [Int]? = nil) {
        if chosen != some ?? all {
            finishBlock()
            chosen = some ?? all
            runs = places.runs(chosen)
            blocks = Array(repeating: JSONWriter(), count: runs.count)
        }
        if count > 0, row != firstRow + count { finishBlock() }
        if count == 0 { firstRow = row }
        let cells = encoder.cells(of: line.span)
        for (index, run) in runs.enumerated() {
            if count > 0 { blocks[index].append(UInt8(ascii: ",")) }
            encoder.append(line.span, run.columns, at: cells, to: &blocks[index])
        }
        count += 1
        rows += 1
    }

    /// Takes the body for `spreadsheets.batchUpdate` out, with requests that stand or fall with the rows.
    public mutating func takeBody(with guards: [JSON]) -> [UInt8] {
        let requests = takeRequests()
        var writer = JSONWriter(reserving: requests.count + Self.frame)
        writer.object { batch in
            batch.array("requests") { all in
                for request in guards + settings { all.element(request) }
                if !requests.isEmpty { all.raw(requests) }
            }
        }
        settings = []
        return writer.bytes
    }

    /// Takes the requests out, with commas between.
    mutating func takeRequests() -> [UInt8] {
        finishBlock()
        defer {
            requests = []
            requestCount = 0
            rows = 0
        }
        return requests
    }

    private mutating func finishBlock() {
        guard count > 0 else { return }
        for (index, run) in runs.enumerated() {
            var writer = JSONWriter(reserving: blocks[index].count + Self.frame)
            writer.object { request in
                request.object("updateCells") { update in
                    update.member(
                        "start",
                        [
                            "sheetId": JSON(sheetID), "rowIndex": JSON(firstRow),
                            "columnIndex": JSON(run.place),
                        ])
                    update.member("fields", .string(SheetRequests.contents))
                    update.array("rows") { $0.raw(blocks[index].bytes) }
                }
            }
            if !requests.isEmpty { requests.append(UInt8(ascii: ",")) }
            requests += writer.bytes
            blocks[index] = JSONWriter()
            requestCount += 1
        }
        count = 0
    }
}

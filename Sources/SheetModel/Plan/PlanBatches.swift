import JSON

/// The batches of a plan one after another; only one of them is in memory.
public struct PlanBatches: Sendable {
    private let plan: SpreadsheetPlan
    private var number = 0
    /// The next row.
    private var position: PlanPosition
    /// The requests that come before all rows; empty once they are sent.
    private var head: ArraySlice<UInt8>
    /// Reads the rows of the sheet at the position; nil before its first one is taken.
    private var cursor: (any RowCursor)?
    /// A row that did not fit into the last batch.
    private var waiting: [UInt8]?

    /// Begins at a row that an earlier run of the same plan came to; nil for the beginning.
    init(plan: SpreadsheetPlan, from position: PlanPosition?) {
        self.plan = plan
        self.position = position ?? PlanPosition(sheet: 0, row: 0)
        head = position == nil ? plan.head : []
    }

    /// Rows of one sheet that follow each other.
    private struct Block {
        let sheet: Int
        let firstRow: Int
        var rows: [UInt8] = []
        var count = 0
    }

    // What stands around the rows of a block, rounded up.
    private static let frame = 200

    /// The next batch; nil behind the last one.
    public mutating func next() throws -> PlanBatch? {
        let blocks = try takeBlocks(size: head.count)
        if head.isEmpty && blocks.isEmpty { return nil }
        var writer = JSONWriter(reserving: blocks.reduce(head.count) { $0 + $1.rows.count + Self.frame })
        var rows = 0
        writer.object { batch in
            batch.array("requests") { requests in
                if !head.isEmpty { requests.raw(head) }
                for block in blocks {
                    requests.object { write(block, to: &$0) }
                    let headers = plan.layouts[block.sheet].grid.headerRows
                    rows += block.count - (block.firstRow == 0 ? headers : 0)
                }
            }
        }
        defer {
            number += 1
            head = []
        }
        return PlanBatch(number: number, body: writer.bytes, rows: rows, end: position)
    }

    private func write(_ block: Block, to request: inout JSONWriter) {
        let layout = plan.layouts[block.sheet]
        request.object("updateCells") { update in
            update.member(
                "start", ["sheetId": JSON(layout.id), "rowIndex": JSON(block.firstRow), "columnIndex": 0])
            let link = layout.hasLinks ? ",userEnteredFormat.textFormat.link" : ""
            update.member("fields", .string("userEnteredValue" + link))
            update.array("rows") { $0.raw(block.rows) }
        }
    }

    /// Takes rows until the batch is full.
    private mutating func takeBlocks(size: Int) throws -> [Block] {
        var blocks: [Block] = []
        var size = size
        while let next = try takeRow() {
            let isNewBlock = blocks.last?.sheet != position.sheet
            let added = next.count + 1 + (isNewBlock ? Self.frame : 0)
            // The first row of a batch always goes in, except that the first batch has something to do without rows.
            if size + added > plan.batchBytes, size > 0 {
                waiting = next
                break
            }
            if isNewBlock { blocks.append(Block(sheet: position.sheet, firstRow: position.row)) }
            let last = blocks.count - 1
            if blocks[last].count > 0 { blocks[last].rows.append(UInt8(ascii: ",")) }
            blocks[last].rows += next
            blocks[last].count += 1
            size += added
            position.row += 1
        }
        return blocks
    }

    /// The row at the position, moving on to the next sheet that has one; nil when all are done.
    private mutating func takeRow() throws -> [UInt8]? {
        if let row = waiting {
            waiting = nil
            return row
        }
        while position.sheet < plan.layouts.count {
            let layout = plan.layouts[position.sheet]
            let headers = layout.grid.headerRows
            if position.row < headers { return plan.encoders[position.sheet].header() }
            if cursor == nil { cursor = layout.sheet.rows.cursor(from: position.row - headers) }
            if let line = try cursor?.next() { return try plan.encoders[position.sheet].row(line) }
            cursor = nil
            position = PlanPosition(sheet: position.sheet + 1, row: 0)
        }
        return nil
    }
}

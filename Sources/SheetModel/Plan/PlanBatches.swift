/// The batches of a plan one after another; only one of them is in memory.
public struct PlanBatches: Sendable {
    /// What a cell counts at least towards the size of a batch: 8 MB bring 250,000 cells.
    ///
    /// It is a guess at what Google does in time, for it gives up on a call after 180 seconds. 120,000 cells in 9 MB have been
    /// seen to be taken; plain values are so short that their bytes alone say nothing of the work.
    private static let leastBytes = 32

    private let plan: SpreadsheetPlan
    private let usesValues: Bool
    private var number = 0
    /// The next row.
    private var position: PlanPosition
    /// The requests that come before all rows; empty once they are sent.
    private var head: ArraySlice<UInt8>
    /// Reads the rows of the sheet at the position; nil before its first one is taken.
    private var cursor: (any RowCursor)?
    /// The line of a row that did not fit into the last batch.
    private var waiting: [UInt8]?

    /// Begins at a row that an earlier run of the same plan came to; nil for the beginning.
    init(plan: SpreadsheetPlan, from position: PlanPosition?, usesValues: Bool) {
        self.plan = plan
        self.usesValues = usesValues
        self.position = position ?? PlanPosition(sheet: 0, row: 0)
        head = position == nil ? plan.head : []
    }

    /// The next batch; nil behind the last one.
    public mutating func next() throws -> PlanBatch? {
        var line = try takeLine()
        if head.isEmpty && line == nil { return nil }
        let method = head.isEmpty ? self.method : .batchUpdate
        var body = BatchBody(method, head: head)
        while let row = line {
            let isIn =
                (!head.isEmpty || self.method == method) && body.cells < max(1, plan.batchBytes / Self.leastBytes)
                && body.add(row, at: position, of: plan)
            guard isIn else {
                waiting = Array(row)
                break
            }
            position.row += 1
            line = try takeLine()
        }
        defer {
            number += 1
            head = []
        }
        return PlanBatch(number: number, method: method, body: body.finish(), rows: body.rows, end: position)
    }

    /// How rows of the sheet at the position go where no other requests go with them.
    private var method: PlanBatch.Method {
        guard usesValues, plan.shapes.indices.contains(position.sheet) else { return .batchUpdate }
        return plan.shapes[position.sheet].isPlain ? .values : .batchUpdate
    }

    /// The line at the position, moving on to the next sheet that has one; nil when all are done.
    private mutating func takeLine() throws -> ArraySlice<UInt8>? {
        if let line = waiting {
            waiting = nil
            return line[...]
        }
        while position.sheet < plan.shapes.count {
            let headers = plan.shapes[position.sheet].namedRows
            if position.row < headers { return plan.encoders[position.sheet].headerLine[...] }
            if cursor == nil {
                cursor = plan.layouts[position.sheet].sheet.rows.cursor(from: position.row - headers)
            }
            if let line = try cursor?.next() { return line }
            cursor = nil
            position = PlanPosition(sheet: position.sheet + 1, row: 0)
        }
        return nil
    }
}

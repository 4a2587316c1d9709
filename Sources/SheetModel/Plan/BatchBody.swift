import JSON

/// The body of one batch, to which rows are written one behind the other.
///
/// It exists once: rows go straight from their source's bytes into it.
struct BatchBody {
    /// Rows of one sheet that follow each other.
    private struct Block {
        /// The index of the sheet in the plan, and Google's `sheetId`.
        let sheet: Int
        let id: Int
        let columns: Int
        let firstRow: Int
        var count = 0
    }

    let method: PlanBatch.Method
    private(set) var bytes: [UInt8] = []
    /// The rows and the cells that are in it.
    private(set) var rows = 0
    private(set) var cells = 0
    private var block: Block?
    private var isEmpty = true
    /// The row that is being added.
    private var encoded = LineBuffer(capacity: 1 << 10)

    /// From here on the room for the whole body is taken at once: growing by halves would hold it twice at times.
    private static let large = 1 << 20
    /// What may come behind the last row, rounded up.
    private static let tail = 300

    /// Begins with requests that come before all rows, with commas between.
    init(_ method: PlanBatch.Method, head: ArraySlice<UInt8>) {
        self.method = method
        write(method == .batchUpdate ? #"{"requests":["# : #"{"valueInputOption":"RAW","data":["#)
        bytes += head
        isEmpty = head.isEmpty
    }

    /// Adds the line of a row, unless the body would grow beyond the plan's limit and is not empty; whether it is in.
    mutating func add(_ line: ArraySlice<UInt8>, at position: PlanPosition, of plan: SpreadsheetPlan) -> Bool {
        let (size, earlier) = (bytes.count, block)
        if size > Self.large, bytes.capacity < plan.batchBytes { bytes.reserveCapacity(plan.batchBytes + Self.tail) }
        if block?.sheet != position.sheet {
            if let block { close(block) }
            open(position, plan.layouts[position.sheet])
        } else {
            bytes.append(UInt8(ascii: ","))
        }
        let isHeader = position.row < plan.layouts[position.sheet].grid.headerRows
        switch method {
        case .batchUpdate:
            encoded.removeAll()
            plan.encoders[position.sheet].append(line.span, isHeader: isHeader, to: &encoded)
            bytes += encoded.bytes
        case .values: bytes += line
        }
        // The first batch has something to do without rows, every other one takes a row however long it is.
        if bytes.count + Self.tail > plan.batchBytes, !isEmpty {
            bytes.removeLast(bytes.count - size)
            block = earlier
            return false
        }
        isEmpty = false
        block?.count += 1
        rows += isHeader ? 0 : 1
        cells += block?.columns ?? 0
        return true
    }

    /// The whole body.
    mutating func finish() -> [UInt8] {
        if let block { close(block) }
        write("]}")
        return bytes
    }

    private mutating func open(_ position: PlanPosition, _ layout: SheetLayout) {
        block = Block(
            sheet: position.sheet, id: layout.id, columns: max(1, layout.columns.count), firstRow: position.row)
        // A comma behind the head, or behind another sheet's rows.
        if bytes.last != UInt8(ascii: "[") { bytes.append(UInt8(ascii: ",")) }
        switch method {
        case .batchUpdate:
            let link = layout.hasLinks ? ",userEnteredFormat.textFormat.link" : ""
            let start: JSON = ["sheetId": JSON(layout.id), "rowIndex": JSON(position.row), "columnIndex": 0]
            write(#"{"updateCells":{"start":\#(start),"fields":"userEnteredValue\#(link)","rows":["#)
        case .values: write(#"{"values":["#)
        }
    }

    private mutating func close(_ block: Block) {
        switch method {
        case .batchUpdate: write("]}}")
        case .values:
            let range = SheetRequests(id: block.id).range(
                rows: block.firstRow..<block.firstRow + block.count, columns: 0..<block.columns)
            write(#"],"majorDimension":"ROWS","dataFilter":{"gridRange":\#(range)}}"#)
        }
        self.block = nil
    }

    private mutating func write(_ text: String) { bytes += text.utf8 }
}

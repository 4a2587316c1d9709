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
        /// The index in the sheet of the first row, and of the first column of each run of neighbours.
        let firstRow: Int
        let places: [Int]
        let fields: String
        var count = 0
    }

    let method: PlanBatch.Method
    private(set) var bytes: [UInt8] = []
    /// The rows and the cells that are in it.
    private(set) var rows = 0
    private(set) var cells = 0
    private var block: Block?
    /// The rows of the block in its second, third, … run of columns, which follow those in the first.
    private var runs: [[UInt8]] = []
    private var isEmpty = true
    /// The row that is being added.
    private var encoded = JSONWriter(reserving: 1 << 10)

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
        let (size, earlier, sizes) = (bytes.count, block, runs.map(\.count))
        let closed = block?.sheet == position.sheet ? nil : runs
        if size > Self.large, bytes.capacity < plan.batchBytes { bytes.reserveCapacity(plan.batchBytes + Self.tail) }
        if block?.sheet != position.sheet {
            if let block { close(block) }
            open(position, plan.layouts[position.sheet])
        } else {
            bytes.append(UInt8(ascii: ","))
        }
        let shape = plan.shapes[position.sheet]
        let isHeader = position.row < shape.namedRows
        switch method {
        case .batchUpdate where shape.isInOrder:
            encoded.removeAll()
            plan.encoders[position.sheet].append(line.span, isHeader: isHeader, to: &encoded)
            bytes += encoded.bytes
        case .batchUpdate: add(line, plan.encoders[position.sheet], plan.layouts[position.sheet].runs)
        case .values: bytes += line
        }
        // The first batch has something to do without rows, every other one takes a row however long it is.
        let apart = runs.reduce(0) { $0 + $1.count + Self.tail }
        if bytes.count + apart + Self.tail > plan.batchBytes, !isEmpty {
            bytes.removeLast(bytes.count - size)
            block = earlier
            runs = closed ?? zip(runs, sizes).map { Array($0.prefix($1)) }
            return false
        }
        isEmpty = false
        block?.count += 1
        rows += isHeader ? 0 : 1
        cells += block?.columns ?? 0
        return true
    }

    /// Adds a row whose columns do not stand beside each other, or not in their order.
    private mutating func add(
        _ line: ArraySlice<UInt8>, _ encoder: RowEncoder, _ columns: [SheetPlace.Run]
    ) {
        if runs.isEmpty { runs = Array(repeating: [], count: columns.count - 1) }
        let cells = encoder.cells(of: line.span)
        for (index, run) in columns.enumerated() {
            encoded.removeAll()
            encoder.append(line.span, run.columns, at: cells, to: &encoded)
            if index == 0 {
                bytes += encoded.bytes
            } else {
                if !runs[index - 1].isEmpty { runs[index - 1].append(UInt8(ascii: ",")) }
                runs[index - 1] += encoded.bytes
            }
        }
    }

    /// The whole body.
    mutating func finish() -> [UInt8] {
        if let block { close(block) }
        write("]}")
        return bytes
    }

    private mutating func open(_ position: PlanPosition, _ layout: SheetLayout) {
        let block = Block(
            sheet: position.sheet, id: layout.id, columns: max(1, layout.columns.count),
            firstRow: layout.firstRow + position.row, places: layout.runs.isEmpty ? [0] : layout.runs.map(\.place),
            fields: "userEnteredValue\(layout.hasLinks ? ",userEnteredFormat.textFormat.link" : "")")
        self.block = block
        // A comma behind the head, or behind another sheet's rows.
        if bytes.last != UInt8(ascii: "[") { bytes.append(UInt8(ascii: ",")) }
        switch method {
        case .batchUpdate: open(block, run: 0)
        case .values: write(#"{"values":["#)
        }
    }

    private mutating func open(_ block: Block, run: Int) {
        let start: JSON = [
            "sheetId": JSON(block.id), "rowIndex": JSON(block.firstRow), "columnIndex": JSON(block.places[run]),
        ]
        write(#"{"updateCells":{"start":\#(start),"fields":"\#(block.fields)","rows":["#)
    }

    private mutating func close(_ block: Block) {
        switch method {
        case .batchUpdate:
            write("]}}")
            for (index, rows) in runs.enumerated() {
                write(",")
                open(block, run: index + 1)
                bytes += rows
                write("]}}")
            }
        case .values:
            let range = SheetRequests(id: block.id).range(
                rows: block.firstRow..<block.firstRow + block.count,
                columns: block.places[0]..<block.places[0] + block.columns)
            write(#"],"majorDimension":"ROWS","dataFilter":{"gridRange":\#(range)}}"#)
        }
        self.block = nil
        runs = []
    }

    private mutating func write(_ text: String) { bytes += text.utf8 }
}

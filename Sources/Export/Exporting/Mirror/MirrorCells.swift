import Google
import JSON
import SheetModel

/// Reads the cells of a mirrored sheet.
struct MirrorCells: Sendable {
    /// The job's columns, and where they stand in the sheet.
    let columns: [Column]
    let places: ColumnPlaces

    /// What is asked of each cell: where it links to only where a column has links.
    static func fields(_ columns: [Column]) -> String {
        let hasLinks = columns.contains { $0.type == .link }
        return "sheets.data(startRow,startColumn,rowData.values(effectiveValue,note,userEnteredValue.formulaValue"
            + "\(hasLinks ? ",userEnteredFormat.textFormat.link" : "")))"
    }

    /// The job's cells of a row of `CellData`; a formula of a person's counts as what it shows.
    func cells(of values: [JSON]) -> [Cell] {
        zip(columns, places.indices).map { column, place in
            guard place < values.count else { return Cell(.empty) }
            let cell = values[place]
            if column.type == .formula, let formula = cell["userEnteredValue"]?["formulaValue"]?.string {
                return Cell(.formula(formula))
            }
            let link = column.type == .link ? cell["userEnteredFormat"]?["textFormat"]?["link"]?["uri"]?.string : nil
            return Cell(Self.value(cell), link: link)
        }
    }

    /// What a cell shows; an error is equal to nothing that a job writes.
    static func value(_ cell: JSON) -> CellValue {
        guard let member = cell["effectiveValue"]?.object?.first else { return .empty }
        return switch (member.name, member.value) {
        case ("numberValue", .number(let number)): .number(number.double)
        case ("boolValue", .bool(let truth)): .boolean(truth)
        case ("stringValue", .string(let text)): text.isEmpty ? .empty : .text(text)
        default: .formula("")
        }
    }
}

/// The rows of a mirrored sheet as they were read, small enough to keep until a write is made sure of.
struct MirrorSnapshot: Sendable {
    /// What each cell of the header shows, without number formats.
    private(set) var header: [String] = []
    /// The notes on the header's cells.
    private(set) var headerNotes: [String] = []
    /// The key of each row below the header; `none` for none.
    private(set) var keys: [Digest128] = []
    /// The index of the first of them.
    let firstRow: Int
    /// The row behind the last one that has data in some columns.
    private(set) var end: Int
    /// Whether there are rows behind it with nothing but boxes that nobody has ticked.
    private(set) var endsWithBoxes = false
    /// How many cells of a row were in use at most.
    private(set) var width = 0
    /// The rows as lists of values, one after another, and where each begins.
    private var bytes: [UInt8] = []
    private var starts: [Int32] = []

    init(headerRow: Int) {
        firstRow = headerRow + 1
        end = headerRow + 1
    }

    /// Takes the row of the header.
    mutating func setHeader(_ values: [JSON]) {
        header = values.map(\.plainText)
        headerNotes = values.map { $0["note"]?.string ?? "" }
        width = max(width, header.lastIndex { !$0.isEmpty }.map { $0 + 1 } ?? 0)
    }

    /// A cell as it is kept: what it shows, and where it has a formula, that too.
    private static func kept(_ cell: JSON) -> JSON {
        let shown = cell["effectiveValue"]?.object?.first?.value ?? .null
        guard let formula = cell["userEnteredValue"]?["formulaValue"] else {
            return shown.object == nil ? shown : .null
        }
        return ["formula": formula, "shown": shown.object == nil ? shown : .null]
    }

    /// Takes one more row.
    ///
    /// - Parameter columns: Those whose data counts for `end`; nil for all.
    mutating func add(_ values: [JSON], key: Digest128?, countingIn columns: Set<Int>?) {
        var writer = JSONWriter()
        writer.array { row in
            for cell in values { row.element(Self.kept(cell)) }
        }
        starts.append(Int32(bytes.count))
        bytes += writer.bytes
        keys.append(key ?? .none)
        for (index, cell) in values.enumerated() {
            let value = MirrorCells.value(cell)
            guard value != .empty || cell["userEnteredValue"]?["formulaValue"] != nil else { continue }
            width = max(width, index + 1)
            guard columns?.contains(index) ?? true else { continue }
            // Boxes that nobody has ticked are no data.
            if value == .boolean(false), end < firstRow + keys.count {
                endsWithBoxes = true
            } else {
                (end, endsWithBoxes) = (firstRow + keys.count, false)
            }
        }
    }

    /// The values of a row by its index in the sheet; empty outside.
    func values(ofRow row: Int) -> [JSON] {
        let index = row - firstRow
        guard starts.indices.contains(index) else { return [] }
        let next = index + 1 < starts.count ? Int(starts[index + 1]) : bytes.count
        let line = Array(bytes[Int(starts[index])..<next])
        return (try? JSON(parsing: line))?.array ?? []
    }
}

import Google
import JSON
import SheetModel

/// Reads what a job must know of a sheet that keeps its rows, in pieces of bounded size.
struct SheetReader {
    let spreadsheetID: String
    let sheet: ExistingSheet
    let client: SheetsClient
    private let calls: CallCounter

    /// How much of the rows one answer takes, as it turns out.
    private var cellPiece = ReadBatchSize(cells: 50_000)
    /// The same for answers that have nothing but values.
    private var valuePiece = ReadBatchSize(cells: 100_000)
    /// Whether anything was read, so that it would be lost if the job were given back.
    private var hasRead = false
    private static let rectangles = 500

    /// The longest wait for a quota in place, and how many of them there are for one answer.
    private static let (longestWait, waits) = (Duration.seconds(90), 5)

    /// Begins to read a sheet.
    ///
    /// - Parameter calls: Knows how large the answers are that the client gets.
    init(spreadsheetID: String, sheet: ExistingSheet, client: SheetsClient, calls: CallCounter) {
        self.spreadsheetID = spreadsheetID
        self.sheet = sheet
        self.client = client
        self.calls = calls
    }

    /// The header, and how the numbers below it are shown.
    struct Head {
        /// What each cell shows; empty where there is none.
        var names: [String]
        /// The same without number formats.
        var plain: [String]
        /// Google's `NumberFormat` of each column's first row of data.
        let formats: [JSON?]
        /// Whether boxes to tick stand in that row.
        let hasBoxes: Bool
        /// What each cell of the header holds; nil for what no job can write.
        fileprivate let values: [CellValue?]

        /// What a cell of the header holds.
        func value(at column: Int) -> CellValue? { column < values.count ? values[column] : .empty }

        /// Whether a column has the same heading as in another header.
        func shows(_ other: Head, at column: Int) -> Bool {
            func text(_ head: Head) -> String { column < head.names.count ? head.names[column] : "" }
            return text(self) == text(other)
        }

        /// Leaves out what stands outside of some columns.
        mutating func keep(_ columns: Range<Int>) {
            for index in names.indices where !columns.contains(index) { names[index] = "" }
            for index in plain.indices where !columns.contains(index) { plain[index] = "" }
        }
    }

    /// Reads the header in a row.
    func head(at row: Int) async throws -> Head {
        try await Self.heads(spreadsheetID, [(sheet, row)], client)[0]
    }

    /// Reads the headers of some sheets, each in a row of it: one call; none for no sheets.
    static func heads(
        _ spreadsheetID: String, _ sheets: [(sheet: ExistingSheet, row: Int)], _ client: SheetsClient
    ) async throws -> [Head] {
        guard !sheets.isEmpty else { return [] }
        let answer = try await client.spreadsheet(
            spreadsheetID,
            in: sheets.map { sheet, row in
                GridRectangle(sheetID: sheet.id, rows: row..<min(row + 2, sheet.rows), columns: 0..<sheet.columns)
            },
            fields:
                "sheets(properties.sheetId,data(startColumn,rowData.values(formattedValue,effectiveValue,userEnteredValue,"
                + "dataValidation.condition.type,userEnteredFormat.numberFormat)))")
        var rows: [Int: JSON] = [:]
        for sheet in answer["sheets"]?.array ?? [] {
            rows[try GoogleNumber.id(sheet["properties"]?["sheetId"], "sheetId")] = sheet["data"]?[0]?["rowData"]
        }
        return sheets.map { sheet, _ in
            let rows = rows[sheet.id]
            let (header, first) = (rows?[0]?["values"]?.array ?? [], rows?[1]?["values"]?.array ?? [])
            return Head(
                names: header.map { $0["formattedValue"]?.string ?? "" },
                plain: header.map(\.plainText),
                formats: first.map { $0["userEnteredFormat"]?["numberFormat"] },
                hasBoxes: first.contains { $0["dataValidation"]?["condition"]?["type"] == "BOOLEAN" },
                values: header.map { Cell(cellData: $0)?.value })
        }
    }

    /// The row behind the last one that has data in some columns, from a row on; boxes that nobody has ticked are no data.
    mutating func end(of columns: [Int], from row: Int) async throws -> Int {
        var (next, end, endWithBoxes, box) = (row, row, row, Int?.none)
        while next < sheet.rows {
            let (values, rows) = try await keys(in: columns, from: next)
            next = rows.upperBound
            for (offset, values) in values.enumerated() where values.contains(where: { $0 != .empty }) {
                endWithBoxes = rows.lowerBound + offset + 1
                if values.contains(where: { $0 != .empty && $0 != .boolean(false) }) {
                    (end, box) = (endWithBoxes, nil)
                } else {
                    box = box ?? endWithBoxes - 1
                }
            }
        }
        guard let box else { return end }
        let answer = try await client.spreadsheet(
            spreadsheetID,
            in: columns.sorted().runs.map {
                GridRectangle(sheetID: sheet.id, rows: box..<box + 1, columns: $0)
            }, fields: "sheets.data.rowData.values.dataValidation.condition.type")
        let cells = (answer["sheets"]?[0]?["data"]?.array ?? []).flatMap { $0["rowData"]?[0]?["values"]?.array ?? [] }
        return cells.contains { $0["dataValidation"]?["condition"]?["type"] == "BOOLEAN" } ? end : endWithBoxes
    }

    /// Whether no cell has a value.
    mutating func isEmpty() async throws -> Bool {
        var row = 0
        while row < sheet.rows {
            let (found, rows) = try await values(from: row, width: sheet.columns) { reader, rows in
                let range = A1Range(
                    sheet: reader.sheet.title, columns: 0..<reader.sheet.columns, startRow: rows.lowerBound,
                    endRow: rows.upperBound)
                return try await reader.client.values(
                    reader.spreadsheetID, in: [range?.description ?? ""], cells: rows.count * reader.sheet.columns)
            }
            guard found[0].isEmpty else { return false }
            row = rows.upperBound
        }
        return true
    }

    /// The values of some columns from a row on, as many as one answer takes; those behind the last one may be missing.
    mutating func keys(in columns: [Int], from row: Int) async throws -> (keys: [[CellValue]], rows: Range<Int>) {
        let (found, rows) = try await values(from: row, width: columns.count) { reader, rows in
            let ranges = columns.compactMap { column in
                A1Range(
                    sheet: reader.sheet.title, columns: column..<column + 1, startRow: rows.lowerBound,
                    endRow: rows.upperBound)?.description
            }
            return try await reader.client.values(
                reader.spreadsheetID, in: ranges, cells: rows.count * columns.count, byColumns: true)
        }
        let lists = found.map { $0.first?.array ?? [] }
        // What an answer has beyond the rows that were asked for would come again with the next one.
        let count = min(lists.map(\.count).max() ?? 0, rows.count)
        let keys = (0..<count).map { row in
            lists.map { row < $0.count ? CellValue(unformatted: $0[row]) : .empty }
        }
        return (keys, rows)
    }

    /// Reads so many rows from one on as one answer takes.
    private mutating func values(
        from row: Int, width: Int, _ body: (Self, Range<Int>) async throws -> [[JSON]]
    ) async throws -> (found: [[JSON]], rows: Range<Int>) {
        while true {
            let rows = row..<min(row + valuePiece.rows(ofWidth: width), sheet.rows)
            guard let found = try await answer(rows.count, width, \.valuePiece, { try await body($0, rows) }) else {
                continue
            }
            return (found, rows)
        }
    }

    /// Asks for rows, and once more where that only has to wait its turn; nil where they are too many for one answer.
    ///
    /// A job that is given back reads everything anew when it comes again, so a sheet of more answers than a minute's
    /// quota would never be read.
    private mutating func answer<Answer>(
        _ rows: Int, _ width: Int, _ piece: WritableKeyPath<Self, ReadBatchSize>,
        _ body: (Self) async throws -> Answer
    ) async throws -> Answer? {
        var waits = Self.waits
        while true {
            do {
                let answer = try await body(self)
                hasRead = true
                self[keyPath: piece].learn(cells: rows * width, bytes: calls.lastAnswer)
                return answer
            } catch let error as GoogleError {
                switch error.retry {
                case _ where error.code == .answerTooLarge && rows > 1:
                    self[keyPath: piece].halve(from: rows * width)
                    return nil
                case .wait(let pause) where hasRead && waits > 0 && pause <= Self.longestWait:
                    waits -= 1
                    try await Task.sleep(for: pause)
                default: throw error
                }
            }
        }
    }

    /// The cells that a job's columns have in the first of some rows, which ascend, as many as one answer takes; nil for what
    /// no job can write.
    ///
    /// - Parameter header: A row above all of them, whose cells come with them.
    mutating func cells(
        _ places: ColumnPlaces, ofFirst rows: some Collection<Int>, below header: Int
    ) async throws -> (header: [FoundCell?], cells: [[FoundCell?]]) {
        let width = places.indices.count
        while true {
            let piece = Array(rows.prefix(firstPiece(of: rows, columns: width)))
            let found = try await answer(piece.count, width, \.cellPiece) {
                try await $0.cells(places, rows: [header] + piece)
            }
            if let found { return (found[0], Array(found.dropFirst())) }
        }
    }

    /// How many of some rows one answer takes.
    private func firstPiece(of rows: some Collection<Int>, columns: Int) -> Int {
        let most = cellPiece.rows(ofWidth: columns)
        var count = 0
        var runs = 0
        var last = -1
        for row in rows {
            runs += row == last + 1 ? 0 : columns
            if count == most || runs > Self.rectangles && count > 0 { break }
            count += 1
            last = row
        }
        return count
    }

    private func cells(_ places: ColumnPlaces, rows: [Int]) async throws -> [[FoundCell?]] {
        let spans = places.indices.sorted().runs
        let rectangles = rows.runs.flatMap { rows in
            spans.map { GridRectangle(sheetID: sheet.id, rows: rows, columns: $0) }
        }
        let answer = try await client.spreadsheet(
            spreadsheetID, in: rectangles,
            fields:
                "sheets.data(startRow,startColumn,rowData.values(userEnteredValue,effectiveValue,userEnteredFormat.textFormat.link,"
                + "textFormatRuns.startIndex))"
        )
        return try Self.cells(in: answer, places, rows)
    }

    /// Reads what Sheets told of some rows.
    static func cells(in answer: JSON, _ places: ColumnPlaces, _ rows: [Int]) throws(GoogleError) -> [[FoundCell?]] {
        let order = Dictionary(uniqueKeysWithValues: rows.enumerated().map { ($1, $0) })
        let columns = Dictionary(uniqueKeysWithValues: places.indices.enumerated().map { ($1, $0) })
        var cells = Array(
            repeating: [FoundCell?](repeating: .empty, count: places.indices.count), count: rows.count)
        for part in answer["sheets"]?[0]?["data"]?.array ?? [] {
            let top = try GoogleNumber.index(part["startRow"], "startRow")
            let left = try GoogleNumber.index(part["startColumn"], "startColumn")
            for (offset, row) in (part["rowData"]?.array ?? []).enumerated() {
                guard let place = order[top + offset] else { continue }
                for (offset, cell) in (row["values"]?.array ?? []).enumerated() {
                    if let column = columns[left + offset] { cells[place][column] = FoundCell(cellData: cell) }
                }
            }
        }
        return cells
    }
}

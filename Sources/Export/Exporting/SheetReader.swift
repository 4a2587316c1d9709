import Google
import JSON
import SheetModel

/// Reads what a job must know of a sheet that keeps its rows, in pieces of bounded size.
struct SheetReader {
    let spreadsheetID: String
    let sheet: ExistingSheet
    let client: SheetsClient

    /// The cells of one answer: 3 to 4 MB where texts are short.
    private static let cells = 50_000
    /// The values of one answer that has nothing but values: about 1 MB.
    private static let values = 100_000
    private static let rectangles = 500

    /// The first row, and how the numbers below it are shown.
    struct Head {
        /// The text of each cell; empty where there is none.
        let names: [String]
        /// Google's `NumberFormat` of each column's second row.
        let formats: [JSON?]
    }

    func head() async throws -> Head {
        let answer = try await client.spreadsheet(
            spreadsheetID,
            in: [GridRectangle(sheetID: sheet.id, rows: 0..<min(2, sheet.rows), columns: 0..<sheet.columns)],
            fields: "sheets.data(startColumn,rowData.values(effectiveValue,userEnteredFormat.numberFormat))")
        let rows = answer["sheets"]?[0]?["data"]?[0]?["rowData"]
        return Head(
            names: (rows?[0]?["values"]?.array ?? []).map { cell in
                switch cell["effectiveValue"]?.object?.first?.value {
                case .string(let text): text
                case .number(let number): JSON.number(number).description
                case .bool(let truth): truth ? "TRUE" : "FALSE"
                case nil, .null, .array, .object: ""
                }
            },
            formats: (rows?[1]?["values"]?.array ?? []).map { $0["userEnteredFormat"]?["numberFormat"] })
    }

    /// Whether no cell has a value.
    func isEmpty() async throws -> Bool {
        for rows in pieces(of: 0..<sheet.rows, by: max(1, Self.values / sheet.columns)) {
            let range = A1Range(
                sheet: sheet.title, columns: 0..<sheet.columns, startRow: rows.lowerBound, endRow: rows.upperBound)
            guard try await client.values(spreadsheetID, in: [range?.description ?? ""])[0].isEmpty else {
                return false
            }
        }
        return true
    }

    /// The rows of a range by pieces, for which `keys` is to be asked.
    func keyPieces(of rows: Range<Int>, columns: Int) -> [Range<Int>] { pieces(of: rows, by: Self.values / columns) }

    /// The values of some columns row by row; those behind the last one that has any may be missing.
    func keys(in columns: [Int], rows: Range<Int>) async throws -> [[CellValue]] {
        let title = sheet.title
        let ranges = columns.compactMap { column in
            A1Range(sheet: title, columns: column..<column + 1, startRow: rows.lowerBound, endRow: rows.upperBound)?
                .description
        }
        let found = try await client.values(spreadsheetID, in: ranges, byColumns: true)
        let lists = found.map { $0.first?.array ?? [] }
        return (0..<(lists.map(\.count).max() ?? 0)).map { row in
            lists.map { row < $0.count ? CellValue(unformatted: $0[row]) : .empty }
        }
    }

    /// How many of some rows, which ascend, `cells` is to be asked for at a time.
    func nextPiece(of rows: some Collection<Int>, columns: Int) -> Int {
        let most = max(1, Self.cells / max(1, columns))
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

    /// The cells that a job's columns have in some rows, which ascend; nil for what no job can write.
    func cells(_ places: ColumnPlaces, rows: [Int]) async throws -> [[Cell?]] {
        let spans = Self.runs(of: places.indices.sorted())
        let rectangles = Self.runs(of: rows).flatMap { rows in
            spans.map { GridRectangle(sheetID: sheet.id, rows: rows, columns: $0) }
        }
        let answer = try await client.spreadsheet(
            spreadsheetID, in: rectangles,
            fields:
                "sheets.data(startRow,startColumn,rowData.values(userEnteredValue,userEnteredFormat.textFormat.link))"
        )
        let order = Dictionary(uniqueKeysWithValues: rows.enumerated().map { ($1, $0) })
        let columns = Dictionary(uniqueKeysWithValues: places.indices.enumerated().map { ($1, $0) })
        var cells = Array(repeating: [Cell?](repeating: Cell(.empty), count: places.indices.count), count: rows.count)
        for part in answer["sheets"]?[0]?["data"]?.array ?? [] {
            let (top, left) = (part["startRow"]?.int ?? 0, part["startColumn"]?.int ?? 0)
            for (offset, row) in (part["rowData"]?.array ?? []).enumerated() {
                guard let place = order[top + offset] else { continue }
                for (offset, cell) in (row["values"]?.array ?? []).enumerated() {
                    if let column = columns[left + offset] { cells[place][column] = Cell(cellData: cell) }
                }
            }
        }
        return cells
    }

    private func pieces(of rows: Range<Int>, by size: Int) -> [Range<Int>] {
        stride(from: rows.lowerBound, to: rows.upperBound, by: max(1, size)).map {
            $0..<min($0 + max(1, size), rows.upperBound)
        }
    }

    private static func runs(of numbers: [Int]) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        for number in numbers {
            if let last = runs.last, last.upperBound == number {
                runs[runs.count - 1] = last.lowerBound..<number + 1
            } else {
                runs.append(number..<number + 1)
            }
        }
        return runs
    }
}

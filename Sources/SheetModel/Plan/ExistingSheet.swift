public import JSON

/// A sheet that the target has already, as `spreadsheets.get` tells of it.
public struct ExistingSheet: Sendable, Hashable {
    /// Google's `sheetId`.
    public var id: Int
    /// The name on the tab.
    public var title: String
    /// The rows of its grid; 0 for a sheet that is a chart.
    public var rows: Int
    /// The columns of its grid; 0 for a sheet that is a chart.
    public var columns: Int
    /// How many rows at the top are frozen.
    public var frozenRows = 0
    /// Its coloured bands.
    public var bandings: [SheetBanding]
    /// The cells that are merged into one.
    public var merges: [CellBlock] = []
    /// Its filter.
    public var filter: SheetFilter?
    /// Its tables.
    public var tables: [SheetTable] = []
    /// Where the job's columns stand among those of others; nil where all of the sheet is the job's.
    public var place: SheetPlace?
    /// Whether all of it is made like new, whoever filled it.
    public var isReset = false
    /// What else there is to take away where the whole sheet is made like new.
    public var belongings = SheetBelongings()

    /// Makes a description of a sheet.
    public init(id: Int, title: String, rows: Int, columns: Int, bandingIDs: [Int] = []) {
        self.id = id
        self.title = title
        self.rows = rows
        self.columns = columns
        bandings = bandingIDs.map { SheetBanding(id: $0) }
    }

    /// The `bandedRangeId` of each of its banded ranges.
    public var bandingIDs: [Int] { bandings.map(\.id) }

    /// The one sheet that Google gives a new spreadsheet.
    public static let ofNewSpreadsheet = ExistingSheet(id: 0, title: "Sheet1", rows: 1_000, columns: 26)
}

/// A rectangle of cells, by their indices from 0; a side without a bound ends with the grid.
public struct CellBlock: Sendable, Hashable {
    /// The rows.
    public var rows: Range<Int>
    /// The columns.
    public var columns: Range<Int>

    /// Makes a rectangle.
    public init(rows: Range<Int>, columns: Range<Int>) {
        self.rows = rows
        self.columns = columns
    }

    /// Whether both have a cell in common.
    public func overlaps(_ other: CellBlock) -> Bool {
        rows.overlaps(other.rows) && columns.overlaps(other.columns)
    }

    /// The block in A1 notation, without the sheet's name.
    public var a1: String {
        A1Range(columns: columns, startRow: rows.lowerBound, endRow: rows.upperBound)?.description ?? ""
    }
}

/// Rows that are coloured by turns.
public struct SheetBanding: Sendable, Hashable {
    /// Google's `bandedRangeId`.
    public var id: Int
    /// The cells; nil for all of the sheet.
    public var block: CellBlock?

    /// Makes a description of a banding.
    public init(id: Int, block: CellBlock? = nil) {
        self.id = id
        self.block = block
    }
}

/// The filter of a sheet, of which there is one at most.
public struct SheetFilter: Sendable, Hashable {
    /// The cells.
    public var block: CellBlock
    /// Google's `BasicFilter`.
    public var json: JSON

    /// Makes a description of a filter.
    public init(block: CellBlock, json: JSON) {
        self.block = block
        self.json = json
    }
}

/// A table of Google Sheets: a named block whose first row is its header.
public struct SheetTable: Sendable, Hashable {
    /// Google's `tableId`.
    public var id: String
    /// Its name, which no other table of the spreadsheet has.
    public var name: String
    /// The cells, with the header and the footer.
    public var block: CellBlock
    /// The names of its columns, from left to right.
    public var columnNames: [String]
    /// Whether the last row is a footer.
    public var hasFooter: Bool

    /// Makes a description of a table.
    public init(id: String, name: String, block: CellBlock, columnNames: [String] = [], hasFooter: Bool = false) {
        self.id = id
        self.name = name
        self.block = block
        self.columnNames = columnNames
        self.hasFooter = hasFooter
    }

    /// The row behind the last row of data.
    public var bodyEnd: Int { block.rows.upperBound - (hasFooter ? 1 : 0) }
}

/// What hangs on a sheet beside its cells, bands and tables.
public struct SheetBelongings: Sendable, Hashable {
    /// How many rules of conditional format there are.
    public var conditionalFormats = 0
    /// The requests that take protected ranges, filter views, charts, slicers and groups away.
    public var removals: [JSON] = []

    /// Nothing.
    public init() {}
}

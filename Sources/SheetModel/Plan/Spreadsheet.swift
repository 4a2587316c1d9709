import JSON

/// A spreadsheet that is known to fit into Google Sheets: every name, every size and every value has been checked.
public struct Spreadsheet: Sendable {
    /// The locale that Sheets shows numbers and dates in, such as `en_US`; nil leaves the target's own.
    public let locale: String?
    /// The time zone that it gets; nil leaves the target's own.
    public let timeZone: TimeZoneRules?
    /// The sheets in the order of their tabs.
    public let sheets: [CheckedSheet]

    /// Checks sheets, down to the last value; the error says which one Google would not take, and why.
    ///
    /// - Parameter zone: The zone in which times with an offset are shown; nil for the one that the spreadsheet gets, else UTC.
    public init(
        locale: String?, timeZone: TimeZoneRules?, shownIn zone: TimeZoneRules? = nil, sheets: [Sheet]
    ) throws(SheetModelError) {
        try Self.check(
            sheets.map {
                Shape(name: $0.name, rows: $0.rows.count, columns: $0.resolvedColumns.count, $0.columns != nil)
            })
        var checked: [CheckedSheet] = []
        for (index, sheet) in sheets.enumerated() {
            checked.append(try CheckedSheet(sheet, index: index, timeZone: zone ?? timeZone ?? .utc))
        }
        self.locale = locale
        self.timeZone = timeZone
        self.sheets = checked
    }

    /// Takes sheets whose values have been checked, and checks their names and sizes.
    public init(locale: String?, timeZone: TimeZoneRules?, checked sheets: [CheckedSheet]) throws(SheetModelError) {
        try Self.check(
            sheets.map { Shape(name: $0.name, rows: $0.rows.count, columns: $0.columns.count, $0.hasHeader) })
        self.locale = locale
        self.timeZone = timeZone
        self.sheets = sheets
    }

    private init(_ whole: Spreadsheet, sheets: [CheckedSheet]) {
        locale = whole.locale
        timeZone = whole.timeZone
        self.sheets = sheets
    }

    /// The same spreadsheet with some of its sheets, perhaps none.
    public func keeping(_ isKept: (_ index: Int) -> Bool) -> Spreadsheet {
        Spreadsheet(self, sheets: sheets.indices.filter(isKept).map { sheets[$0] })
    }

    /// The same spreadsheet with other sheets in the places of its own, which hold the same.
    public func replacing(_ change: (_ index: Int, CheckedSheet) -> CheckedSheet) -> Spreadsheet {
        Spreadsheet(self, sheets: sheets.enumerated().map { change($0.offset, $0.element) })
    }

    /// Whether there is nothing to write: no sheet, and no property of the spreadsheet.
    public var isEmpty: Bool { sheets.isEmpty && locale == nil && timeZone == nil }

    /// What was not written quite as it came, one for each column and kind.
    public var warnings: [ConversionWarning] { sheets.flatMap(\.warnings) }

    private struct Shape {
        let name: String
        let columns: Int
        let grid: GridSize

        init(name: String, rows: Int, columns: Int, _ hasHeader: Bool) {
            self.name = name
            self.columns = columns
            grid = GridSize(rows: rows, columns: columns, hasHeader: hasHeader)
        }
    }

    private static func check(_ sheets: [Shape]) throws(SheetModelError) {
        guard (1...Limits.sheets).contains(sheets.count) else {
            throw SheetModelError(.sheetCount, "expected 1 to \(Limits.sheets) sheets, got \(sheets.count)")
        }
        try checkNames(sheets.map(\.name))
        var cells = 0
        for (index, sheet) in sheets.enumerated() {
            guard sheet.columns <= Limits.columns else {
                throw SheetModelError(
                    .tooManyColumns, at: .sheet(index),
                    "a sheet holds at most \(Limits.columns.grouped) columns, got \(sheet.columns.grouped)")
            }
            cells += sheet.grid.cells
            guard cells <= Limits.cells else { throw tooManyCells(cells, at: .sheet(index)) }
        }
    }

    static func tooManyCells(_ count: Int, at place: SheetModelError.Place? = nil) -> SheetModelError {
        SheetModelError(
            .tooManyCells, at: place,
            "a spreadsheet holds at most \(Limits.cells.grouped) cells, this would make \(count.grouped)")
    }

    /// Sheets takes any printable name, `[]*?/\:` too, which Excel refuses; it tells names apart without their case.
    private static func checkNames(_ names: [String]) throws(SheetModelError) {
        var seen: Set<String> = []
        for (index, name) in names.enumerated() {
            let place = SheetModelError.Place.sheet(index)
            guard (1...Limits.nameLength).contains(name.utf16.count) else {
                throw SheetModelError(
                    .sheetName, at: place, "expected 1 to \(Limits.nameLength) characters, got \(name.utf16.count)")
            }
            guard name.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }),
                !name.allSatisfy(\.isWhitespace)
            else { throw SheetModelError(.sheetName, at: place, "is blank or has a control character") }
            guard seen.insert(name.lowercased()).inserted else {
                throw SheetModelError(.sheetName, at: place, "\(excerpt(name)) is the name of an earlier sheet too")
            }
        }
    }
}

/// A spreadsheet that is known to fit into Google Sheets: every name, every size and every value has been checked.
public struct Spreadsheet: Sendable {
    /// The locale that Sheets shows numbers and dates in, such as `en_US`; nil leaves the target's own.
    public let locale: String?
    /// The time zone of its dates; nil leaves the target's own, and takes times with an offset to UTC.
    public let timeZone: TimeZoneRules?
    /// The sheets in the order of their tabs.
    public let sheets: [Sheet]
    /// What was not written quite as it came, one for each column and kind.
    public let warnings: [ConversionWarning]

    /// Checks sheets, down to the last value; the error says which one Google would not take, and why.
    public init(locale: String?, timeZone: TimeZoneRules?, sheets: [Sheet]) throws(SheetModelError) {
        guard (1...Limits.sheets).contains(sheets.count) else {
            throw SheetModelError(.sheetCount, "expected 1 to \(Limits.sheets) sheets, got \(sheets.count)")
        }
        try Self.checkNames(sheets.map(\.name))
        var cells = 0
        var warnings: [ConversionWarning] = []
        for (index, sheet) in sheets.enumerated() {
            let columns = sheet.resolvedColumns
            guard columns.count <= Limits.columns else {
                throw SheetModelError(
                    .tooManyColumns, at: .sheet(index),
                    "a sheet holds at most \(Limits.columns.grouped) columns, got \(columns.count.grouped)")
            }
            cells += GridSize(of: sheet, columns: columns.count).cells
            guard cells <= Limits.cells else { throw Self.tooManyCells(cells, at: .sheet(index)) }
        }
        for (index, sheet) in sheets.enumerated() {
            warnings += try Self.checkValues(of: sheet, index: index, timeZone: timeZone ?? .utc)
        }
        self.locale = locale
        self.timeZone = timeZone
        self.sheets = sheets
        self.warnings = warnings
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

    private static func checkValues(
        of sheet: Sheet, index: Int, timeZone: TimeZoneRules
    ) throws(SheetModelError) -> [ConversionWarning] {
        let columns = sheet.resolvedColumns
        let converters = columns.map { CellConverter(type: $0.type, timeZone: timeZone) }
        var counts = [[CellWarning: Int]](repeating: [:], count: columns.count)
        for (rowIndex, row) in sheet.rows.enumerated() {
            guard row.count <= columns.count else {
                throw SheetModelError(
                    .rowTooLong, at: .row(rowIndex, sheet: index),
                    "has \(row.count) \(row.count == 1 ? "value" : "values"), but there "
                        + (columns.count == 1 ? "is 1 column" : "are \(columns.count) columns"))
            }
            for (columnIndex, value) in row.enumerated() {
                do throws(SheetModelError) {
                    if let warning = try converters[columnIndex].convert(value).warning {
                        counts[columnIndex][warning, default: 0] += 1
                    }
                } catch {
                    let place = SheetModelError.Place.cell(row: rowIndex, column: columnIndex, sheet: index)
                    throw SheetModelError(error.code, at: place, error.message)
                }
            }
        }
        return zip(columns, counts).enumerated().flatMap { columnIndex, element in
            let (column, counts) = element
            let name = column.name.isEmpty ? A1.letters(ofColumn: columnIndex) : column.name
            return CellWarning.allCases.compactMap { kind in
                counts[kind].map { ConversionWarning(sheet: sheet.name, column: name, kind: kind, count: $0) }
            }
        }
    }
}

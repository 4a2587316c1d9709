import JSON

/// One sheet whose values have all been checked.
public struct CheckedSheet: Sendable {
    /// The name on the tab.
    public let name: String
    /// The columns.
    public let columns: [Column]
    /// Whether the columns' names are the first row.
    public let hasHeader: Bool
    /// The rows of data.
    public let rows: any RowSource
    /// Which columns its rows name, where they are objects of which some do not name all.
    public let members: RowMembers?
    /// What was not taken over quite as it came.
    public let warnings: [ConversionWarning]

    /// Takes rows that somebody has checked.
    public init(
        name: String, columns: [Column], hasHeader: Bool, rows: any RowSource, members: RowMembers? = nil,
        warnings: [ConversionWarning]
    ) {
        self.name = name
        self.columns = columns
        self.hasHeader = hasHeader
        self.rows = rows
        self.members = members
        self.warnings = warnings
    }

    /// Checks a sheet, down to the last value.
    ///
    /// - Parameter index: The index of the sheet, for errors.
    public init(_ sheet: Sheet, index: Int, timeZone: TimeZoneRules) throws(SheetModelError) {
        let columns = sheet.resolvedColumns
        var checker = RowChecker(sheet: index, columns: columns, timeZone: timeZone, rows: sheet.rows.count)
        for row in sheet.rows { try checker.take(row) }
        self.init(
            name: sheet.name, columns: columns, hasHeader: sheet.columns != nil, rows: checker.rows,
            members: checker.members,
            warnings: checker.warnings(sheet: sheet.name))
    }

    /// The same sheet with another note on its first heading.
    public func noting(_ note: String) -> CheckedSheet {
        var columns = columns
        if let first = columns.first?.noting(note) { columns[0] = first }
        return CheckedSheet(
            name: name, columns: columns, hasHeader: hasHeader, rows: rows, members: members, warnings: warnings)
    }
}

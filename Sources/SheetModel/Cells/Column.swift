/// A column of a sheet: its heading, and how its values are read and shown.
public struct Column: Sendable, Hashable {
    /// The heading, and the name by which rows that are objects give its values.
    public let name: String
    /// How values become cells.
    public let type: ColumnType
    /// A currency's ISO code where the type is `currency`, else a number format pattern of Sheets; nil for the type's own.
    public let format: String?
    /// The width in pixels; nil to estimate it from what the column holds.
    public let width: Int?
    /// Whether people see the column in the sheet; nil leaves that as it is, which for a new column is that they do.
    public let isHidden: Bool?
    /// The note on the column's heading; nil for none of the job's.
    public let note: String?

    /// The widths in pixels that a column may ask for.
    public static let widths = 10...2_000

    /// Makes a column; refused are a format that Sheets could not mean, a width out of range, and a note longer than a cell.
    public init(
        name: String, type: ColumnType = .auto, format: String? = nil, width: Int? = nil, isHidden: Bool? = nil,
        note: String? = nil
    ) throws(SheetModelError) {
        if name.utf16.count > Limits.cellLength {
            throw SheetModelError(.cellTooLong, CellConverter.lengthRefusal(name.utf16.count))
        }
        if let width, !Self.widths.contains(width) {
            throw SheetModelError(
                .columnWidth, "expected \(Self.widths.lowerBound) to \(Self.widths.upperBound) pixels")
        }
        if let format { _ = try NumberFormat(pattern: format, type: type) }
        if let note, note.utf16.count > Limits.cellLength {
            throw SheetModelError(.columnNote, CellConverter.lengthRefusal(note.utf16.count))
        }
        self.init(unchecked: name, type: type, format: format, width: width, isHidden: isHidden, note: note)
    }

    private init(
        unchecked name: String, type: ColumnType, format: String?, width: Int?, isHidden: Bool?, note: String?
    ) {
        self.name = name
        self.type = type
        self.format = format
        self.width = width
        self.isHidden = isHidden
        self.note = note
    }

    /// The same column with another type.
    public func typed(_ type: ColumnType) throws(SheetModelError) -> Column {
        try Column(name: name, type: type, format: format, width: width, isHidden: isHidden, note: note)
    }

    /// The same column with another note, cut where a cell holds no longer one.
    func noting(_ note: String) -> Column {
        Column(
            unchecked: name, type: type, format: format, width: width, isHidden: isHidden,
            note: note.utf16.count > Limits.cellLength ? self.note : note)
    }

    /// A column without a heading, for a sheet that has none.
    static let unnamed = Column(
        unchecked: "", type: .auto, format: nil, width: nil, isHidden: nil, note: nil)

    /// How Sheets shows the column's numbers; nil for its automatic way.
    var numberFormat: NumberFormat? {
        guard let format else { return .standard(for: type) }
        return try? NumberFormat(pattern: format, type: type)
    }
}

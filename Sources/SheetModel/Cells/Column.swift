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

    /// The widths in pixels that a column may ask for.
    public static let widths = 10...2_000

    /// Makes a column; refused are a format that Sheets could not mean and a width out of range.
    public init(name: String, type: ColumnType = .auto, format: String? = nil, width: Int? = nil)
        throws(SheetModelError)
    {
        if name.utf16.count > Limits.cellLength {
            throw SheetModelError(.cellTooLong, CellConverter.lengthRefusal(name.utf16.count))
        }
        if let width, !Self.widths.contains(width) {
            throw SheetModelError(
                .columnWidth, "expected \(Self.widths.lowerBound) to \(Self.widths.upperBound) pixels")
        }
        if let format { _ = try NumberFormat(pattern: format, type: type) }
        self.init(unchecked: name, type: type, format: format, width: width)
    }

    private init(unchecked name: String, type: ColumnType, format: String?, width: Int?) {
        self.name = name
        self.type = type
        self.format = format
        self.width = width
    }

    /// A column without a heading, for a sheet that has none.
    static let unnamed = Column(unchecked: "", type: .auto, format: nil, width: nil)

    /// How Sheets shows the column's numbers; nil for its automatic way.
    var numberFormat: NumberFormat? {
        guard let format else { return .standard(for: type) }
        return try? NumberFormat(pattern: format, type: type)
    }
}

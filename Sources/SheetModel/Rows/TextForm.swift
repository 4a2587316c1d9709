/// How a database spells the values of a column.
public enum TextForm: Sendable, Hashable {
    /// Any text.
    case text
    /// `-12`.
    case integer
    /// `-12.50`, or a word such as `NaN`.
    case decimal
    /// `1.5e-07`, the shortest text that reads back as the same double, or a word such as `NaN`.
    case float
    /// `t` or `f`.
    case boolean
    /// `2026-11-22`, or a word such as `infinity`.
    case date
    /// `09:30:15.25`.
    case time
    /// `2026-11-22 09:30:15.25`, or a word such as `infinity`.
    case timestamp
    /// The same with an offset behind it: `+00`, `-03:30`.
    case timestampWithOffset
    /// `{"a": 1}`, `"text"`, `12.50`, `true` or `null`.
    case json

    /// The type of a column for which nobody asked for another.
    public var columnType: ColumnType {
        switch self {
        case .text: .text
        // Not as integers, which have commas between their thousands: most of a table's are somebody's keys.
        case .integer, .decimal, .float: .number
        case .boolean: .boolean
        case .date: .date
        case .time: .time
        case .timestamp, .timestampWithOffset: .datetime
        case .json: .auto
        }
    }
}

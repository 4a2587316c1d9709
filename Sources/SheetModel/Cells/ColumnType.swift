/// How the values of a column become cells, and how they look.
public enum ColumnType: String, Sendable, Hashable, CaseIterable {
    /// The JSON value's own type; a string is never parsed.
    case auto
    /// Text, whatever the value: a number keeps its spelling, so `12345678901234567` and `1.50` stay as they are.
    case text
    /// A number, also from a string such as `"12.50"`.
    case number
    /// A whole number, also from a string.
    case integer
    /// True or false, also as text (`"true"`, `"f"`) and as 1 and 0.
    case boolean
    /// An ISO 8601 date: `2026-11-22`, or a date and time at midnight.
    case date
    /// A time of day or a duration: `09:30`, `09:30:15.250`, `126:30:00`.
    case time
    /// An ISO 8601 date and time, or a date alone, which is its midnight; with an offset it is brought to the spreadsheet's time zone, without one it is taken as is.
    case datetime
    /// A number; the column's `format` names the currency.
    case currency
    /// A fraction: 0.25 is shown as 25.00%.
    case percent
    /// A URL (`http`, `https`, `mailto`), or an object with `url` and `text`; without a URL it is text.
    case link
    /// A formula that begins with `=`: the only way to one.
    case formula

    /// Whether digits of one column should stand below each other.
    var isRightAligned: Bool {
        switch self {
        case .number, .integer, .currency, .percent, .date, .time, .datetime: true
        case .auto, .text, .boolean, .link, .formula: false
        }
    }
}

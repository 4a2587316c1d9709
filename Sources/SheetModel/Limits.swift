/// What Google Sheets holds at most.
public enum Limits {
    /// Cells of one spreadsheet; the empty ones of each sheet's grid count.
    public static let cells = 10_000_000
    /// Columns of one sheet: A to ZZZ.
    public static let columns = 18_278
    /// Sheets of one spreadsheet.
    public static let sheets = 200
    /// UTF-16 units of one cell's text or formula.
    public static let cellLength = 50_000
    /// UTF-16 units of a sheet's name.
    public static let nameLength = 100
    /// Requests of one batch.
    public static let requests = 100_000
}

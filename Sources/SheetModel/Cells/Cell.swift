/// A cell as it is written: its value, and where it links to.
public struct Cell: Sendable, Hashable {
    /// What the cell holds.
    public var value: CellValue
    /// The URL that the whole text links to.
    public var link: String?

    /// Makes a cell.
    public init(_ value: CellValue, link: String? = nil) {
        self.value = value
        self.link = link
    }
}

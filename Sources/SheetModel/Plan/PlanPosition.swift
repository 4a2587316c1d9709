/// A row of a plan: everything before it is written.
public struct PlanPosition: Sendable, Hashable {
    /// The index of the sheet in the plan.
    public var sheet: Int
    /// The index of the row in the sheet's grid, which counts the header.
    public var row: Int

    /// Makes a position.
    public init(sheet: Int, row: Int) {
        self.sheet = sheet
        self.row = row
    }
}

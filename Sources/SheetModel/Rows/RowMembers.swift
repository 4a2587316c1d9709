/// Which columns the rows name that are objects, where some do not name all.
public struct RowMembers: Sendable {
    /// The columns that some row names, each list once.
    private var lists: [[Int]] = []
    private var places: [[Int]: Int32] = [:]
    /// The index of each row's list; -1 for a row that names all.
    private var rows: [Int32] = []

    /// Notes a row; the columns ascend.
    mutating func add(_ columns: [Int], row: Int) {
        while rows.count < row { rows.append(-1) }
        let place = places[columns] ?? Int32(lists.count)
        if places.updateValue(place, forKey: columns) == nil { lists.append(columns) }
        rows.append(place)
    }

    /// The columns that a row names; nil for all.
    public func columns(ofRow row: Int) -> [Int]? {
        guard row < rows.count, rows[row] >= 0 else { return nil }
        return lists[Int(rows[row])]
    }
}

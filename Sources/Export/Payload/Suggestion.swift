/// Finds the known name that somebody meant.
public enum Suggestion {
    /// `; did you mean "type"?` where a known name is close, else nothing.
    public static func hint(for name: String, among known: [String]) -> String {
        guard name.utf8.count <= 64 else { return "" }
        let plain = simplified(name)
        let nearest = known.map { (name: $0, distance: distance(plain, simplified($0))) }.min {
            $0.distance < $1.distance
        }
        guard let nearest, nearest.distance <= max(1, plain.count / 3) else { return "" }
        return "; did you mean \"\(nearest.name)\"?"
    }

    /// Small letters only, so that `timeZone` and `Time-Zone` are `time_zone`.
    private static func simplified(_ name: String) -> [Character] {
        name.lowercased().filter { $0 != "_" && $0 != "-" && $0 != " " }
    }

    /// How many letters to add, drop, change or swap with a neighbour (optimal string alignment).
    private static func distance(_ left: [Character], _ right: [Character]) -> Int {
        var rows = [Array(0...right.count)]
        for (i, letter) in left.enumerated() {
            var row = [i + 1]
            for (j, other) in right.enumerated() {
                var best = min(rows[i][j + 1] + 1, row[j] + 1, rows[i][j] + (letter == other ? 0 : 1))
                if i > 0, j > 0, letter == right[j - 1], left[i - 1] == other {
                    best = min(best, rows[i - 1][j - 1] + 1)
                }
                row.append(best)
            }
            rows.append(row)
        }
        return rows[left.count][right.count]
    }
}

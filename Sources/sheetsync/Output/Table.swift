/// Rows of text in columns that are as wide as they must be.
struct Table {
    private let header: [String]
    private var rows: [[String]] = []

    init(_ header: String...) { self.header = header }

    mutating func add(_ cells: String...) { rows.append(cells) }

    /// The table's lines, the header first; the last column is cut for a terminal's sake.
    var lines: [String] {
        let widths = header.indices.map { column in
            ([header] + rows).map { $0[column].count }.max() ?? 0
        }
        func line(_ cells: [String]) -> String {
            let padded = cells.indices.map { column in
                let isLast = column == cells.count - 1
                let text = isLast && cells[column].count > 100 ? cells[column].prefix(99) + "…" : cells[column][...]
                return text + String(repeating: " ", count: isLast ? 0 : max(widths[column] - text.count, 0))
            }
            return padded.joined(separator: "  ")
        }
        return [Style.dim(line(header))] + rows.map(line)
    }

    func show() { for line in lines { Console.print(line) } }
}

/// A time span as a person says it: `0.4 s`, `12 s`, `5 min`, `3 h`.
func spoken(seconds: Double) -> String {
    switch seconds {
    case ..<10: "\(Int(seconds * 10) / 10).\(Int(seconds * 10) % 10) s"
    case ..<120: "\(Int(seconds)) s"
    case ..<7200: "\(Int(seconds / 60)) min"
    default: "\(Int(seconds / 3600)) h"
    }
}

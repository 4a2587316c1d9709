import Glibc
import Output

/// Rows of text in columns that are as wide as they must be.
///
/// A terminal's lines are never longer than it is wide: the widest column is cut first, until it is no wider than the next.
struct Table {
    private static let narrowest = 12

    private let header: [String]
    private var rows: [[String]] = []

    init(_ header: String...) { self.header = header }

    /// Adds a row; what a terminal would not show is written out at once, for it takes its room.
    mutating func add(_ cells: String...) { rows.append(cells.map(\.visible)) }

    /// The table's lines, the header first, at most as wide as told where they can be.
    func lines(width: Int?) -> [String] {
        var widths = header.indices.map { column in
            ([header] + rows).map { $0[column].count }.max() ?? 0
        }
        if let last = widths.indices.last {
            widths[last] = min(widths[last], 100)
            let gaps = 2 * (widths.count - 1)
            while let width, widths.reduce(gaps, +) > width {
                let column = widths.indices.max { widths[$0] < widths[$1] } ?? last
                guard widths[column] > Self.narrowest else { break }
                widths[column] -= 1
            }
        }
        func line(_ cells: [String]) -> String {
            let padded = cells.indices.map { column in
                let text = cells[column].shortened(to: widths[column])
                let isLast = column == cells.count - 1
                return text + String(repeating: " ", count: isLast ? 0 : max(widths[column] - text.count, 0))
            }
            return padded.joined(separator: "  ")
        }
        return [Style.dim(line(header))] + rows.map(line)
    }

    func show() { for line in lines(width: Console.width) { Console.print(line) } }
}

extension String {
    /// The text itself, or its beginning and a mark that something is missing.
    func shortened(to length: Int) -> String {
        count > length ? prefix(max(length - 1, 0)) + "…" : self
    }
}

extension Console {
    /// Prints a text behind a mark, on as many lines as a terminal's width needs, those after the first under its beginning.
    ///
    /// A pipe gets one line.
    static func printWrapped(_ text: String, behind mark: String = "", style: Style? = nil, indentation: Int = 0) {
        var lines: [String] = []
        var line = ""
        for word in text.visible.split(separator: " ", omittingEmptySubsequences: false) {
            let used = lines.isEmpty ? mark.count : indentation
            if let width, !line.isEmpty, used + line.count + 1 + word.count > width {
                lines.append(line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        lines.append(line)
        let rest = lines.dropFirst().map { String(repeating: " ", count: indentation) + $0 }
        print(lines: [(style?(mark) ?? mark) + lines[0]] + rest)
    }

    /// How many characters fit into a line of the terminal; nil where there is none.
    static var width: Int? {
        guard isTerminal else { return nil }
        var size = winsize()
        guard unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }
}

import JSON

/// Where a cell leads to, and what it shows.
struct CellLink {
    let address: String
    /// What the cell shows instead of its value; nil for the value itself.
    let label: String?

    /// Finds the link of a cell in its format, its text's runs, or a formula `=HYPERLINK("…","…")`.
    init?(_ cell: Cell, format: JSONObject, extras: JSONObject?) {
        let runs = extras?["textFormatRuns"]?.array ?? []
        let linked =
            format["textFormat"]?["link"]?["uri"]?.string
            ?? runs.lazy.compactMap { $0["format"]?["link"]?["uri"]?.string }.first
        if let linked {
            guard Self.isSafe(linked) else { return nil }
            self.init(address: linked, label: nil)
        } else if case .formula(let formula) = cell.value, let parts = Self.hyperlink(formula), Self.isSafe(parts[0]) {
            self.init(address: parts[0], label: parts.count > 1 ? parts[1] : parts[0])
        } else {
            return nil
        }
    }

    private init(address: String, label: String?) {
        self.address = address
        self.label = label
    }

    /// Only addresses that a page may lead to without harm.
    private static func isSafe(_ address: String) -> Bool {
        ["http://", "https://", "mailto:"].contains { address.lowercased().hasPrefix($0) }
    }

    /// The one or two texts of a formula `=HYPERLINK("…","…")`; nil for every other formula.
    private static func hyperlink(_ formula: String) -> [String]? {
        let opening = "=HYPERLINK("
        guard formula.uppercased().hasPrefix(opening), formula.last == ")" else { return nil }
        var rest = formula.dropFirst(opening.count).dropLast()
        var texts: [String] = []
        while let first = rest.first {
            if first == " " || first == "," || first == ";" {
                rest.removeFirst()
                continue
            }
            guard first == "\"" else { return nil }
            rest.removeFirst()
            var text = ""
            while let character = rest.popFirst() {
                if character == "\"" {
                    guard rest.first == "\"" else { break }
                    rest.removeFirst()
                }
                text.append(character)
            }
            texts.append(text)
        }
        return (1...2).contains(texts.count) ? texts : nil
    }
}

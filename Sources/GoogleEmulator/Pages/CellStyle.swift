import JSON

/// A cell format as CSS.
enum CellStyle {
    /// The CSS of a cell, without the braces; empty for a plain one.
    ///
    /// - Parameters:
    ///   - format: Google's `CellFormat`
    ///   - value: decides where the content stands when the format does not say
    ///   - banding: the background that a banding gives to a cell without its own
    static func css(_ format: JSONObject, value: CellValue, banding: JSONObject?) -> String {
        var rules: [String] = []
        if let background = format["backgroundColor"]?.object ?? banding {
            rules.append("background:\(color(background))")
        }
        let text = format["textFormat"]
        if let foreground = text?["foregroundColor"]?.object { rules.append("color:\(color(foreground))") }
        if text?["bold"]?.bool == true { rules.append("font-weight:700") }
        if text?["italic"]?.bool == true { rules.append("font-style:italic") }
        let lines = [("underline", "underline"), ("strikethrough", "line-through")]
            .filter { text?[$0.0]?.bool == true }.map(\.1)
        if !lines.isEmpty { rules.append("text-decoration:\(lines.joined(separator: " "))") }
        if let size = text?["fontSize"]?.int, size != 10, (1...400).contains(size) {
            rules.append("font-size:\(size)pt")
        }
        if let alignment = alignment(format["horizontalAlignment"]?.string, value) {
            rules.append("text-align:\(alignment)")
        }
        switch format["verticalAlignment"]?.string {
        case "TOP": rules.append("vertical-align:top")
        case "MIDDLE": rules.append("vertical-align:middle")
        default: break
        }
        if format["wrapStrategy"]?.string == "WRAP" { rules.append("white-space:pre-wrap") }
        for side in ["top", "bottom", "left", "right"] {
            if let border = format["borders"]?[side], let line = line(border) { rules.append("border-\(side):\(line)") }
        }
        return rules.joined(separator: ";")
    }

    private static func alignment(_ set: String?, _ value: CellValue) -> String? {
        switch (set, value) {
        case ("LEFT", _): "left"
        case ("CENTER", _), (nil, .boolean): "center"
        case ("RIGHT", _), (nil, .number): "right"
        default: nil
        }
    }

    private static func line(_ border: JSON) -> String? {
        let style: String
        switch border["style"]?.string {
        case "SOLID": style = "1px solid"
        case "SOLID_MEDIUM": style = "2px solid"
        case "SOLID_THICK": style = "3px solid"
        case "DASHED": style = "1px dashed"
        case "DOTTED": style = "1px dotted"
        case "DOUBLE": style = "3px double"
        default: return nil
        }
        return "\(style) \(color(border["color"]?.object ?? JSONObject()))"
    }

    /// Google's `Color`, whose parts go from 0 to 1 and are 0 where they are missing.
    static func color(_ color: JSONObject) -> String {
        let parts = ["red", "green", "blue"].map { name in
            let part = min(max(color[name]?.double ?? 0, 0), 1)
            let digits = String(Int((part * 255).rounded()), radix: 16)
            return digits.utf8.count == 1 ? "0" + digits : digits
        }
        return "#" + parts.joined()
    }
}

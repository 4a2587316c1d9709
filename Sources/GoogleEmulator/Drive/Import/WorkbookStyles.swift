import JSON

/// The cell styles of an XLSX file, as far as they say something of numbers and bold text.
struct WorkbookStyles {
    /// `userEnteredFormat` of each style in `cellXfs`; nil where a style says nothing.
    private(set) var formats: [JSON?] = []

    /// What the built-in number formats stand for; the rest of them are kinds of text or accounting.
    private static let builtIn: [Int: (type: String, pattern: String)] = [
        1: ("NUMBER", "0"), 2: ("NUMBER", "0.00"), 3: ("NUMBER", "#,##0"), 4: ("NUMBER", "#,##0.00"),
        9: ("PERCENT", "0%"), 10: ("PERCENT", "0.00%"), 11: ("SCIENTIFIC", "0.00E+00"), 14: ("DATE", "M/d/yyyy"),
        15: ("DATE", "d-mmm-yy"), 16: ("DATE", "d-mmm"), 17: ("DATE", "mmm-yy"), 18: ("TIME", "h:mm am/pm"),
        19: ("TIME", "h:mm:ss am/pm"), 20: ("TIME", "h:mm"), 21: ("TIME", "h:mm:ss"),
        22: ("DATE_TIME", "M/d/yyyy h:mm"), 45: ("TIME", "mm:ss"), 46: ("TIME", "[h]:mm:ss"), 49: ("TEXT", "@"),
    ]

    init(_ bytes: [UInt8]) {
        var reader = XMLReader(bytes)
        var patterns: [Int: String] = [:]
        var bold: [Bool] = []
        var section = ""
        while let event = reader.next() {
            switch event {
            case .begin(let name, let attributes):
                switch (section, name) {
                case (_, "fonts"), (_, "cellXfs"), (_, "cellStyleXfs"), (_, "dxfs"): section = name
                case ("dxfs", _): break
                case (_, "numFmt"):
                    if let id = attributes["numFmtId"].flatMap({ Int($0) }) { patterns[id] = attributes["formatCode"] }
                case ("fonts", "font"): bold.append(false)
                case ("fonts", "b") where attributes["val"] != "0" && !bold.isEmpty: bold[bold.count - 1] = true
                case ("cellXfs", "xf"):
                    let font = attributes["fontId"].flatMap { Int($0) } ?? 0
                    let number = attributes["numFmtId"].flatMap { Int($0) } ?? 0
                    formats.append(Self.format(number, patterns, isBold: bold.indices.contains(font) && bold[font]))
                default: break
                }
            case .end(let name) where name == section: section = ""
            case .end, .text: break
            }
        }
    }

    private static func format(_ number: Int, _ patterns: [Int: String], isBold: Bool) -> JSON? {
        var format = JSONObject()
        if let pattern = patterns[number], pattern != "General" {
            format["numberFormat"] = ["type": .string(type(of: pattern)), "pattern": .string(pattern)]
        } else if let (type, pattern) = builtIn[number] {
            format["numberFormat"] = ["type": .string(type), "pattern": .string(pattern)]
        }
        if isBold { format["textFormat"] = ["bold": true] }
        return format.isEmpty ? nil : .object(format)
    }

    /// What kind of number a pattern shows, by the letters outside quotes and brackets.
    private static func type(of pattern: String) -> String {
        var letters: Set<Character> = []
        var closing: Character?
        for character in pattern {
            if let end = closing {
                if character == end { closing = nil }
            } else if character == "\"" {
                closing = "\""
            } else if character == "[" {
                closing = "]"
            } else {
                letters.insert(Character(character.lowercased()))
            }
        }
        let hasDate = letters.contains("y") || letters.contains("d")
        let hasTime = letters.contains("h") || letters.contains("s")
        if hasDate { return hasTime ? "DATE_TIME" : "DATE" }
        if hasTime { return "TIME" }
        if letters.contains("@") { return "TEXT" }
        if letters.contains("%") { return "PERCENT" }
        if letters.contains("e") { return "SCIENTIFIC" }
        return ["$", "€", "£", "¥"].contains { letters.contains($0) || pattern.contains("[$" + String($0)) }
            ? "CURRENCY" : "NUMBER"
    }
}

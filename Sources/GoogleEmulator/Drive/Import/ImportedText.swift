import JSON

/// A text from a CSV file as a cell: an import recognises numbers, percentages, dates, booleans and formulas.
enum ImportedText {
    /// The cell's value, and the number format that the text's form calls for.
    static func read(_ text: String) -> (value: CellValue, format: JSON?) {
        guard let first = text.utf8.first else { return (.empty, nil) }
        if first == UInt8(ascii: "="), text.utf8.count > 1 { return (.formula(text), nil) }
        switch text.uppercased() {
        case "TRUE": return (.boolean(true), nil)
        case "FALSE": return (.boolean(false), nil)
        default: break
        }
        guard first < 0x3A else { return (.text(text), nil) }
        if let number = number(text[...]) { return (.number(number), nil) }
        if text.hasSuffix("%"), let number = number(text.dropLast()) {
            return (
                .number(number / 100), ["type": "PERCENT", "pattern": text.contains(".") ? "0.00%" : "0%"]
            )
        }
        if let (serial, hasTime) = serial(text) {
            return (
                .number(serial),
                hasTime
                    ? ["type": "DATE_TIME", "pattern": "yyyy-mm-dd hh:mm:ss"]
                    : ["type": "DATE", "pattern": "yyyy-mm-dd"]
            )
        }
        return (.text(text), nil)
    }

    /// Digits with an optional sign, fraction, exponent and commas between thousands.
    private static func number(_ text: Substring) -> Double? {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) || "+-.,eE".utf8.contains($0) }) else { return nil }
        guard text.contains(",") else { return Double(text) }
        let groups = text.prefix { $0 != "." }.drop { $0 == "-" || $0 == "+" }.split(
            separator: ",", omittingEmptySubsequences: false)
        guard let head = groups.first, (1...3).contains(head.count), groups.dropFirst().allSatisfy({ $0.count == 3 })
        else { return nil }
        return Double(String(text.filter { $0 != "," }))
    }

    /// The days since 1899-12-30 of `2026-11-22` or `2026-11-22 18:25:10`.
    private static func serial(_ text: String) -> (serial: Double, hasTime: Bool)? {
        guard [10, 16, 19].contains(text.utf8.count) else { return nil }
        let full = text.utf8.count == 16 ? text + ":00" : text
        guard let time = Timestamp(rfc3339: full.replacing(" ", with: "T")) else { return nil }
        return (Double(time.milliseconds) / 86_400_000 + 25_569, text.utf8.count > 10)
    }
}

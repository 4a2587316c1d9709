import JSON

/// The different cell formats of a spreadsheet, each kept once.
struct FormatTable: Sendable {
    private var formats: [JSONObject] = [JSONObject()]
    private var numbers: [String: UInt32] = ["{}": 0]

    /// The format of a number, as Sheets calls `userEnteredFormat`.
    subscript(number: UInt32) -> JSONObject { formats[Int(number)] }

    /// The numbers that formats have.
    var numbersInUse: Range<UInt32> { 0..<UInt32(formats.count) }

    /// The number of a format.
    mutating func number(of format: JSONObject) -> UInt32 {
        let key = Self.key(.object(format))
        if let number = numbers[key] { return number }
        formats.append(format)
        let number = UInt32(formats.count - 1)
        numbers[key] = number
        return number
    }

    /// A spelling that does not depend on the order of members.
    private static func key(_ value: JSON) -> String {
        switch value {
        case .object(let object):
            "{" + object.sorted { $0.name < $1.name }.map { "\($0.name):\(key($0.value))" }.joined(separator: ",") + "}"
        case .array(let elements): "[" + elements.map(key).joined(separator: ",") + "]"
        default: value.description
        }
    }
}

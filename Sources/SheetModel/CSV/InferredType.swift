/// The type that all fields of a CSV column fit, and a format that shows them as the file spells them.
///
/// What could be a label rather than a quantity stays text: leading zeros, a plus, an exponent, more than 15 digits.
struct InferredType {
    private(set) var type = ColumnType.text
    private(set) var format: String?

    /// Looks at every field that is not empty; without one it is text.
    ///
    /// - Parameter hasDecimalCommas: Whether a comma may stand for the point of all numbers of the column.
    init(of fields: some Sequence<String>, hasDecimalCommas: Bool = false) {
        self.init(of: fields)
        guard type == .text, hasDecimalCommas, !fields.contains(where: { $0.utf8.contains(UInt8(ascii: ".")) }) else {
            return
        }
        let other = InferredType(of: fields.lazy.map { Self.withPoint($0) ?? $0 })
        if other.type == .number { self = other }
    }

    /// A text with a point for its only comma; nil for one that has a point or another number of commas.
    static func withPoint(_ field: String) -> String? {
        let parts = field.split(separator: ",", omittingEmptySubsequences: false)
        return parts.count == 2 && !field.utf8.contains(UInt8(ascii: ".")) ? parts.joined(separator: ".") : nil
    }

    private init(of fields: some Sequence<String>) {
        var candidates: [ColumnType]?
        var decimals: Set<Int> = []
        var hasWords = false
        for field in fields {
            if DecimalDigits.isWordForNone(field) {
                // A number that is none, if the others are numbers.
                hasWords = true
                continue
            }
            let fitting = (candidates ?? Self.all).filter { Self.fits(field, $0) }
            if fitting.isEmpty { return }
            candidates = fitting
            decimals.insert(Self.decimals(of: field))
        }
        guard let best = candidates?.first, !hasWords || best == .integer || best == .number else { return }
        type = best
        // A grid of keys and years should not gain commas, and prices should not lose their zeros.
        if best == .integer { format = "0" }
        if best == .number, decimals.count == 1, let count = decimals.first {
            format = "0." + String(repeating: "0", count: count)
        }
    }

    // The narrower type comes first: every integer is a number too.
    private static let all: [ColumnType] = [.integer, .number, .boolean, .date, .datetime]

    private static func fits(_ field: String, _ type: ColumnType) -> Bool {
        switch type {
        case .integer: isNumber(field) && decimals(of: field) == 0
        case .number: isNumber(field)
        case .boolean: ["true", "false", "True", "False", "TRUE", "FALSE"].contains(field)
        case .date: ISO8601.date(field) != nil
        case .datetime: ISO8601.datetime(field, in: .utc) != nil
        case .auto, .text, .time, .currency, .percent, .link, .formula: false
        }
    }

    private static func isNumber(_ field: String) -> Bool {
        let digits = field.utf8.count { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        return digits <= 15 && !field.utf8.contains { $0 | 0x20 == UInt8(ascii: "e") } && field != "-0"
            && DecimalDigits(field) != nil
    }

    private static func decimals(of field: String) -> Int {
        field.utf8.firstIndex(of: UInt8(ascii: ".")).map { field.utf8.distance(from: $0, to: field.utf8.endIndex) - 1 }
            ?? 0
    }
}

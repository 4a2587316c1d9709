/// The beginning of a text in quotes, 40 characters at most and on one line, for errors.
public func excerpt(_ text: some StringProtocol) -> String {
    // Scalars, because one Character may be as long as somebody likes.
    let scalars = text.unicodeScalars.prefix(41)
    var shown = "\""
    for scalar in scalars.prefix(40) {
        shown.unicodeScalars.append(scalar.properties.generalCategory == .control ? "\u{FFFD}" : scalar)
    }
    return shown + (scalars.count > 40 ? "…\"" : "\"")
}

extension Int {
    /// The number with commas between its thousands, for people.
    public var grouped: String {
        var digits = Array(String(magnitude).utf8)
        var place = digits.count - 3
        while place > 0 {
            digits.insert(UInt8(ascii: ","), at: place)
            place -= 3
        }
        return (self < 0 ? "-" : "") + String(decoding: digits, as: UTF8.self)
    }
}

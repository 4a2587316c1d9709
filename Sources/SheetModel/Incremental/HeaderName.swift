/// Compares the names of columns as people read them.
enum HeaderName {
    /// A name without what nobody sees: case, blanks at the ends, and which kind of blank stands between words.
    static func folded(_ name: String) -> String {
        var folded = ""
        var hasGap = false
        for scalar in name.unicodeScalars {
            if isBlank(scalar) {
                hasGap = !folded.isEmpty
                continue
            }
            if isInvisible(scalar) { continue }
            if hasGap { folded.append(" ") }
            hasGap = false
            folded.unicodeScalars.append(scalar)
        }
        return folded.lowercased()
    }

    /// Says where two names that look alike differ, as a part of a sentence.
    static func difference(_ found: String, from wanted: String) -> String {
        let (there, here) = (Array(found.unicodeScalars), Array(wanted.unicodeScalars))
        let place =
            zip(there, here).enumerated().first { $0.element.0 != $0.element.1 }?.offset
            ?? min(there.count, here.count)
        func shown(_ scalars: [Unicode.Scalar]) -> String {
            place < scalars.count ? name(of: scalars[place]) : "nothing"
        }
        return "its character \(place + 1) is \(shown(there)) in the sheet and \(shown(here)) in the job"
    }

    private static func name(of scalar: Unicode.Scalar) -> String {
        let code = "U+" + String(repeating: "0", count: max(0, 4 - hex(scalar).count)) + hex(scalar)
        switch scalar {
        case " ": return "a space"
        case "\u{A0}", "\u{202F}": return "a no-break space (\(code))"
        case "\n", "\r": return "a line break"
        case "\t": return "a tab"
        default:
            guard isBlank(scalar) || isInvisible(scalar) || scalar.properties.generalCategory == .control else {
                return "\"\(scalar)\""
            }
            return code
        }
    }

    private static func hex(_ scalar: Unicode.Scalar) -> String { String(scalar.value, radix: 16, uppercase: true) }

    private static func isBlank(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.isWhitespace }

    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.generalCategory == .format || scalar.properties.generalCategory == .control
    }
}

extension String {
    /// The text with everything written out that a terminal would obey, hide or turn round: control characters (C0, DEL, C1),
    /// marks of direction, line and paragraph separators and other characters without a shape.
    ///
    /// They are written as JSON escapes them, such as `\u001b`, so that JSON stays JSON and says the same: there none of them
    /// stands outside of a string.
    public var visible: String {
        // Nearly every text is plain.
        guard utf8.contains(where: { $0 < 0x20 || $0 >= 0x7F }) else { return self }
        var text = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            if scalar.isShown { text.append(scalar) } else { text.append(contentsOf: scalar.escaped.unicodeScalars) }
        }
        return String(text)
    }
}

extension Unicode.Scalar {
    /// Whether a terminal shows it, or joins its neighbours by it as many writings and emoji need.
    fileprivate var isShown: Bool {
        if isASCII { return value >= 0x20 && value != 0x7F }
        if value == 0x200C || value == 0x200D { return true }
        return switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: false
        // Nobody knows what a terminal makes of these.
        case .privateUse, .unassigned: false
        default: true
        }
    }

    fileprivate var escaped: String {
        switch self {
        case "\n": return "\\n"
        case "\r": return "\\r"
        case "\t": return "\\t"
        default: break
        }
        return UTF16.encode(self).map { unit in
            unit.reduce(into: "") { text, unit in
                let digits = String(unit, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
        } ?? ""
    }
}

/// How wide text is on a screen, in columns of a fixed-width font.
///
/// A rough measure: Latin letters count 1, Chinese, Japanese, Korean and emoji 2, marks that sit on a letter 0.
enum TextWidth {
    /// The width of the widest line, measured no further than a limit.
    static func ofWidestLine(in text: String, limit: Int) -> Int {
        var widest = 0
        var width = 0
        // By Character, so that an emoji made of many scalars counts once.
        for character in text {
            if character.isNewline {
                width = 0
                continue
            }
            width += self.width(of: character)
            widest = max(widest, width)
            if widest >= limit { return limit }
        }
        return widest
    }

    private static func width(of character: Character) -> Int {
        guard let first = character.unicodeScalars.first, !first.isASCII else { return 1 }
        switch first.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format, .control: return 0
        default: break
        }
        if first.properties.isEmojiPresentation || character.unicodeScalars.contains("\u{FE0F}") { return 2 }
        return wide.contains { $0.contains(first.value) } ? 2 : 1
    }

    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF01...0xFF60,
        0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD,
    ]
}

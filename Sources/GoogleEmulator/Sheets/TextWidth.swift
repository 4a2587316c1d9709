/// How wide a line of text is in the font that Sheets measures columns with, Roboto at 13 pixels.
enum TextWidth {
    /// The advances from space to tilde, in units of 1/2048 of the size.
    private static let advances = [
        507, 527, 655, 1261, 1150, 1500, 1273, 357, 700, 712, 882, 1161, 402, 565, 539, 844,
        1150, 1150, 1150, 1150, 1150, 1150, 1150, 1150, 1150, 1150, 496, 433, 1041, 1124, 1070, 967,
        1839, 1336, 1275, 1333, 1343, 1164, 1132, 1395, 1460, 557, 1130, 1284, 1102, 1788, 1460, 1408,
        1292, 1408, 1261, 1215, 1222, 1328, 1303, 1817, 1284, 1230, 1226, 543, 840, 543, 856, 924,
        633, 1114, 1149, 1072, 1155, 1085, 711, 1149, 1128, 497, 489, 1038, 497, 1795, 1130, 1168,
        1149, 1164, 694, 1057, 669, 1129, 992, 1538, 1015, 969, 1015, 693, 499, 693, 1393,
    ]

    /// The pixels that a column needs to show a text, its padding too.
    static func pixels(_ text: String) -> Int {
        text.split(whereSeparator: \.isNewline).reduce(0) { widest, line in
            let units = line.unicodeScalars.reduce(0) { sum, scalar in
                let index = Int(scalar.value) - 32
                // Letters outside ASCII are about as wide as an n, those of the East about as wide as high.
                return sum + (advances.indices.contains(index) ? advances[index] : scalar.value < 0x1100 ? 1130 : 2048)
            }
            return max(widest, (units * 13 + 2047) / 2048 + 7)
        }
    }
}

/// The parts of A1 notation.
public enum A1 {
    /// The letters of a column by its index from 0: `A`, `Z`, `AA`, … `ZZZ`.
    public static func letters(ofColumn index: Int) -> String {
        precondition(index >= 0, "a column's index counts from 0")
        var letters: [UInt8] = []
        // Bijective base 26: there is no digit for zero, so each step takes one off first.
        var rest = index + 1
        while rest > 0 {
            rest -= 1
            letters.append(UInt8(ascii: "A") + UInt8(rest % 26))
            rest /= 26
        }
        return String(decoding: letters.reversed(), as: UTF8.self)
    }

    /// The index from 0 of a column by its letters, in either case; nil for what is no column from A to ZZZ.
    public static func column(ofLetters letters: some StringProtocol) -> Int? {
        var index = 0
        for byte in letters.utf8 {
            let letter = byte & 0xDF
            guard (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(letter), index < Limits.columns else { return nil }
            index = index * 26 + Int(letter - UInt8(ascii: "A")) + 1
        }
        return (1...Limits.columns).contains(index) ? index - 1 : nil
    }

    /// A sheet's name as a reference needs it: in quotes, its own quotes doubled.
    ///
    /// It is always quoted, since a plain name such as `AB12` would read as a cell.
    public static func quoted(_ sheet: String) -> String {
        var text = "'"
        for scalar in sheet.unicodeScalars {
            text.unicodeScalars.append(scalar)
            if scalar == "'" { text.unicodeScalars.append(scalar) }
        }
        return text + "'"
    }

    /// Splits `'It''s'!A1` into the sheet's name (nil where there is none) and the rest.
    ///
    /// A quoted name without anything behind it is a whole sheet; its rest is empty.
    static func splitSheet(_ text: String) throws(SheetModelError) -> (sheet: String?, rest: Substring) {
        let scalars = text.unicodeScalars
        guard scalars.first == "'" else {
            guard let mark = scalars.lastIndex(of: "!") else { return (nil, text[...]) }
            let rest = text[scalars.index(after: mark)...]
            guard mark > text.startIndex, !rest.isEmpty else { throw refusal(text) }
            return (String(text[..<mark]), rest)
        }
        var name = ""
        var position = scalars.index(after: text.startIndex)
        while position < text.endIndex {
            let scalar = scalars[position]
            position = scalars.index(after: position)
            if scalar == "'" {
                guard position < text.endIndex else { return (name, "") }
                if scalars[position] == "!" {
                    let rest = text[scalars.index(after: position)...]
                    guard !rest.isEmpty else { throw refusal(text) }
                    return (name, rest)
                }
                guard scalars[position] == "'" else { throw refusal(text) }
                position = scalars.index(after: position)
            }
            name.unicodeScalars.append(scalar)
        }
        throw refusal(text)
    }

    static func refusal(_ text: String) -> SheetModelError {
        SheetModelError(.invalidReference, "\(excerpt(text)) is not a reference such as 'Sheet 1'!A1:B2")
    }

    /// Splits `B12` into a column and a row; either may be missing, but not both.
    static func corner(_ text: some StringProtocol) -> (column: Int?, row: Int?)? {
        let utf8 = text.utf8
        let digits = utf8.firstIndex { $0 < UInt8(ascii: "A") } ?? utf8.endIndex
        let letters = text[..<digits]
        let number = text[digits...]
        var corner: (column: Int?, row: Int?) = (nil, nil)
        if !letters.isEmpty {
            guard let column = column(ofLetters: letters) else { return nil }
            corner.column = column
        }
        if !number.isEmpty {
            guard number.utf8.count <= 8, let row = Int(number), row >= 1, number.utf8.first != UInt8(ascii: "+")
            else { return nil }
            corner.row = row - 1
        }
        return corner.column == nil && corner.row == nil ? nil : corner
    }
}

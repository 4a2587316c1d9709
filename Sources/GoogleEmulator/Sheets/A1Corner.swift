extension A1 {
    /// One corner of a range: `B3`, `B` or `3`, each part with or without `$`.
    struct Corner: Sendable {
        /// Counting from 0.
        var column: Int?
        var row: Int?
        var isColumnFixed = false
        var isRowFixed = false

        /// Reads a corner; nil where the text is none.
        init?(_ text: some StringProtocol) {
            var rest = Array(text.utf8)[...]
            var column = 0
            var letters = 0
            let dollar = UInt8(ascii: "$")
            if rest.first == dollar, rest.dropFirst().first.map(A1.isLetter) == true {
                isColumnFixed = true
                rest.removeFirst()
            }
            while let byte = rest.first, A1.isLetter(byte), letters < 4 {
                column = column * 26 + Int(byte & 0x1F)
                letters += 1
                rest.removeFirst()
            }
            if rest.first == dollar {
                isRowFixed = true
                rest.removeFirst()
            }
            guard letters < 4, rest.count < 10, rest.allSatisfy(A1.isDigit), letters > 0 || !rest.isEmpty,
                !isRowFixed || !rest.isEmpty
            else { return nil }
            let row = rest.isEmpty ? nil : Int(String(decoding: rest, as: UTF8.self))
            if row == 0 { return nil }
            self.column = letters > 0 ? column - 1 : nil
            self.row = row.map { $0 - 1 }
        }

        /// Reads `R3C2`, `R3` or `C2`; nil where the text is none.
        init?(r1c1 text: some StringProtocol) {
            var rest = text.uppercased()[...]
            func number() -> Int? {
                let digits = rest.dropFirst().prefix(while: \.isNumber)
                guard !digits.isEmpty, digits.count < 9, let number = Int(digits), number > 0 else { return nil }
                rest = rest.dropFirst(digits.count + 1)
                return number - 1
            }
            if rest.first == "R" { row = number() }
            if rest.first == "C" { column = number() }
            guard rest.isEmpty, row != nil || column != nil else { return nil }
        }

        /// The corner in A1 notation; `#REF!` where it lies outside of any sheet.
        var text: String {
            guard row ?? 0 >= 0, column ?? 0 >= 0 else { return "#REF!" }
            var text = ""
            if let column { text += (isColumnFixed ? "$" : "") + A1.letters(column) }
            if let row { text += (isRowFixed ? "$" : "") + String(row + 1) }
            return text
        }
    }
}

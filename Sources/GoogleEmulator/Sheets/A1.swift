/// A1 notation.
enum A1 {
    /// The letters of a column that counts from 0.
    static func letters(_ column: Int) -> String {
        var rest = column + 1
        var result: [UInt8] = []
        while rest > 0 {
            result.append(UInt8(65 + (rest - 1) % 26))
            rest = (rest - 1) / 26
        }
        return String(decoding: result.reversed(), as: UTF8.self)
    }

    /// A range with its sheet, as Sheets writes it: `'My sheet'!A1:C10`.
    static func text(_ range: GridRange, title: String) -> String {
        let rows = (range.startRow ?? 0)..<max(range.endRow ?? 0, (range.startRow ?? 0) + 1)
        let columns = (range.startColumn ?? 0)..<max(range.endColumn ?? 0, (range.startColumn ?? 0) + 1)
        let first = letters(columns.lowerBound) + String(rows.lowerBound + 1)
        let last = letters(columns.upperBound - 1) + String(rows.upperBound)
        return quote(title) + "!" + (first == last ? first : first + ":" + last)
    }

    /// The sheet's title as it stands before the exclamation mark.
    static func quote(_ title: String) -> String {
        let isSimple =
            title.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "_") }
            && title.utf8.first.map(isLetter) == true && cell(title[...]) == nil
        return isSimple
            ? title : "'" + title.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
    }

    /// Reads `Sheet1!A1:B2`, `'It''s'!A:C`, `2:5`, `A1` or a sheet's title alone, within a spreadsheet.
    ///
    /// Without a sheet the first one is meant. Nil where the text is no range or its sheet is not there.
    static func range(_ text: String, in spreadsheet: Spreadsheet) -> GridRange? {
        if let (title, rest) = split(text) {
            guard let sheet = spreadsheet.sheets.first(where: { $0.title == title }) else { return nil }
            return cells(rest, sheetID: sheet.id)
        }
        if let first = spreadsheet.sheets.first, let range = cells(text[...], sheetID: first.id) { return range }
        let title = unquote(text[...]) ?? text
        return spreadsheet.sheets.first { $0.title == title }.map { GridRange(sheetID: $0.id) }
    }

    /// The title and the cells around the last exclamation mark outside quotes.
    private static func split(_ text: String) -> (title: String, cells: Substring)? {
        guard let mark = text.lastIndex(of: "!") else { return nil }
        let title = text[..<mark]
        return (unquote(title) ?? String(title), text[text.index(after: mark)...])
    }

    private static func unquote(_ text: Substring) -> String? {
        guard text.utf8.count >= 2, text.first == "'", text.last == "'" else { return nil }
        return String(text.dropFirst().dropLast()).replacingDoubledQuotes
    }

    private static func cells(_ text: Substring, sheetID: Int) -> GridRange? {
        let ends = text.split(separator: ":", omittingEmptySubsequences: false)
        guard ends.count <= 2, let first = cell(ends[0]), let last = cell(ends[ends.count - 1]) else { return nil }
        // A lone column or row is a range only with a colon: `A` and `5` are titles or names.
        if ends.count == 1, first.row == nil || first.column == nil { return nil }
        var range = GridRange(sheetID: sheetID)
        (range.startRow, range.endRow) = bounds(first.row, last.row)
        (range.startColumn, range.endColumn) = bounds(first.column, last.column)
        return range
    }

    private static func bounds(_ first: Int?, _ last: Int?) -> (Int?, Int?) {
        guard let first, let last else { return (first ?? last, nil) }
        return (min(first, last), max(first, last) + 1)
    }

    /// The column and the row of `B3`, `B` or `3`, with or without `$`.
    private static func cell(_ text: Substring) -> (column: Int?, row: Int?)? {
        var column = 0
        var letters = 0
        var rest = Array(text.utf8)[...]
        if rest.first == UInt8(ascii: "$") { rest.removeFirst() }
        while let byte = rest.first, isLetter(byte), letters < 4 {
            column = column * 26 + Int(byte & 0x1F)
            letters += 1
            rest.removeFirst()
        }
        if rest.first == UInt8(ascii: "$") { rest.removeFirst() }
        guard letters < 4, rest.count < 10, rest.allSatisfy(isDigit), letters > 0 || !rest.isEmpty else { return nil }
        let row = rest.isEmpty ? nil : Int(String(decoding: rest, as: UTF8.self))
        if row == 0 { return nil }
        return (letters > 0 ? column - 1 : nil, row.map { $0 - 1 })
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (65...90).contains(byte & 0xDF) }
    private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
}

extension String {
    /// Two apostrophes in a row made one.
    fileprivate var replacingDoubledQuotes: String {
        var result = ""
        var skips = false
        for character in self {
            if character == "'", !skips, result.last == "'" {
                skips = true
                continue
            }
            skips = false
            result.append(character)
        }
        return result
    }
}

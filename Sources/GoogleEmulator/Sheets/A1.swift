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
            && title.utf8.first.map(isLetter) == true && Corner(title)?.row == nil && Corner(r1c1: title) == nil
        return isSimple
            ? title : "'" + title.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
    }

    /// Reads `Sheet1!A1:B2`, `'It''s'!A:C`, `2:5`, `A1`, `R1C1`, a named range or a sheet's title, within a spreadsheet.
    ///
    /// Without a sheet the first one is meant. Nil where the text is no range or its sheet is not there.
    static func range(_ text: String, in spreadsheet: Spreadsheet) -> GridRange? {
        if let (title, rest) = split(text) {
            guard let index = spreadsheet.index(ofTitle: title) else { return nil }
            return cells(rest, sheetID: spreadsheet.sheets[index].id)
        }
        if let first = spreadsheet.sheets.first, let range = cells(text[...], sheetID: first.id) { return range }
        if let range = spreadsheet.namedRange(text) { return range }
        return spreadsheet.index(ofTitle: unquoted(text)).map { GridRange(sheetID: spreadsheet.sheets[$0].id) }
    }

    /// The title and the cells around the last exclamation mark.
    private static func split(_ text: String) -> (title: String, cells: Substring)? {
        guard let mark = text.lastIndex(of: "!") else { return nil }
        return (unquoted(text[..<mark]), text[text.index(after: mark)...])
    }

    /// A title without the apostrophes around it, those within it made single.
    static func unquoted(_ text: some StringProtocol) -> String {
        guard text.utf8.count >= 2, text.first == "'", text.last == "'" else { return String(text) }
        return text.dropFirst().dropLast().split(separator: "''", omittingEmptySubsequences: false)
            .joined(separator: "'")
    }

    /// The range of a sheet that a text names, which says nothing of the sheet.
    static func cells(_ text: Substring, sheetID: Int) -> GridRange? {
        let ends = text.split(separator: ":", omittingEmptySubsequences: false)
        guard ends.count <= 2,
            let (first, last) = corners(ends, { Corner($0) }) ?? corners(ends, { Corner(r1c1: $0) })
        else { return nil }
        // A lone column or row is a range only with a colon: `A` and `5` are titles or names.
        if ends.count == 1, first.row == nil || first.column == nil { return nil }
        var range = GridRange(sheetID: sheetID)
        (range.startRow, range.endRow) = bounds(first.row, last.row)
        (range.startColumn, range.endColumn) = bounds(first.column, last.column)
        return range
    }

    private static func corners(_ ends: [Substring], _ read: (Substring) -> Corner?) -> (Corner, Corner)? {
        guard let first = read(ends[0]), let last = read(ends[ends.count - 1]) else { return nil }
        return (first, last)
    }

    private static func bounds(_ first: Int?, _ last: Int?) -> (Int?, Int?) {
        guard let first, let last else { return (first ?? last, nil) }
        return (min(first, last), max(first, last) + 1)
    }

    static func isLetter(_ byte: UInt8) -> Bool { (65...90).contains(byte & 0xDF) }
    static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
}

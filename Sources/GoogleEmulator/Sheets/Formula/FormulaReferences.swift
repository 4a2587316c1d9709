/// Changes the cells that a formula refers to, when it or they move.
enum FormulaReferences {
    /// The formula as it reads after it was copied by so many rows and columns; parts behind `$` stay.
    static func moved(_ formula: String, rows: Int, columns: Int) -> String {
        map(formula) { _, word in
            guard var end = A1.Corner(word) else { return word }
            if !end.isRowFixed { end.row = end.row.map { $0 + rows } }
            if !end.isColumnFixed { end.column = end.column.map { $0 + columns } }
            return end.text
        }
    }

    /// The formula as it reads after rows or columns of a sheet came, went or moved.
    ///
    /// - Parameters:
    ///   - title: the sheet whose rows or columns they are
    ///   - isOwn: whether the formula stands on that sheet
    static func shifted(_ formula: String, by shift: DimensionShift, title: String, isOwn: Bool) -> String {
        map(formula) { sheet, word in
            guard sheet.map({ $0.lowercased() == title.lowercased() }) ?? isOwn, var end = A1.Corner(word) else {
                return word
            }
            if shift.isRows, let row = end.row {
                guard let new = shift.position(row) else { return nil }
                end.row = new
            } else if !shift.isRows, let column = end.column {
                guard let new = shift.position(column) else { return nil }
                end.column = new
            }
            return end.text
        }
    }

    /// The formula with each corner of its references changed; nil makes the reference `#REF!`.
    private static func map(_ formula: String, _ change: (_ sheet: String?, _ word: String) -> String?) -> String {
        guard let tokens = FormulaToken.all(in: formula.dropFirst()) else { return formula }
        var result = "="
        var sheet: String?
        for (index, token) in tokens.enumerated() {
            let isCall = index + 1 < tokens.count && tokens[index + 1].text == "("
            switch token.kind {
            case .sheet: sheet = A1.unquoted(token.text.dropLast())
            case .word where !isCall && isReference(index, in: tokens):
                result += change(sheet, token.text) ?? "#REF!"
                continue
            case .symbol where token.text != ":": sheet = nil
            default: break
            }
            result += token.text
        }
        return result
    }

    /// Whether a word is a cell, or a column at one end of a range; `total` alone is a name.
    private static func isReference(_ index: Int, in tokens: [FormulaToken]) -> Bool {
        guard let corner = A1.Corner(tokens[index].text) else { return false }
        if corner.row != nil, corner.column != nil { return true }
        return index > 0 && tokens[index - 1].text == ":" || index + 1 < tokens.count && tokens[index + 1].text == ":"
    }
}

/// The one form in which cells are compared, whether they come from a job or from a sheet.
///
/// Two cells have one form where a sheet holds the same for both: -0 is 0, line ends are line feeds, an empty text is an empty
/// cell. Numbers are compared to the last bit, and texts byte by byte: É in one and in two characters are two texts, in Sheets too.
enum CanonicalCell {
    /// What of a cell is compared.
    static func add(_ cell: Cell, of column: Column, to digest: inout Digest128) {
        add(cell.value, to: &digest)
        // Only a column of links has a say on links.
        if column.type == .link, let link = cell.link {
            digest.add(UInt8(6))
            add(link, to: &digest)
        }
    }

    /// Takes a value.
    static func add(_ value: CellValue, to digest: inout Digest128) {
        switch value {
        case .empty, .text(""): digest.add(UInt8(0))
        case .number(let number):
            digest.add(UInt8(1))
            digest.add((number == 0 ? 0 : number).bitPattern)
        case .boolean(let truth): digest.add(truth ? UInt8(3) : 2)
        case .text(let text):
            digest.add(UInt8(4))
            add(text, to: &digest)
        case .formula(let formula):
            digest.add(UInt8(5))
            add(formula, to: &digest)
        }
    }

    /// The digest of a key; nil for one that is empty in all its columns.
    static func key(_ values: some Sequence<CellValue>) -> Digest128? {
        var digest = Digest128()
        var isEmpty = true
        for value in values {
            if value != .empty, value != .text("") { isEmpty = false }
            add(value, to: &digest)
        }
        return isEmpty ? nil : digest
    }

    /// The digest of one cell, in 32 bits.
    static func short(_ cell: Cell, of column: Column) -> UInt32 {
        var digest = Digest128()
        add(cell, of: column, to: &digest)
        return UInt32(truncatingIfNeeded: digest.low ^ digest.low >> 32)
    }

    /// Whether two cells are compared as the same.
    static func areSame(_ one: Cell, _ other: Cell, in column: Column) -> Bool {
        var (first, second) = (Digest128(), Digest128())
        add(one, of: column, to: &first)
        add(other, of: column, to: &second)
        return first == second
    }

    private static func add(_ text: String, to digest: inout Digest128) {
        var last: UInt8 = 0
        for byte in text.utf8 {
            // CR LF and CR alone are LF.
            if byte != UInt8(ascii: "\n") || last != UInt8(ascii: "\r") {
                digest.add(byte == UInt8(ascii: "\r") ? UInt8(ascii: "\n") : byte)
            }
            last = byte
        }
        // No text has this byte in it.
        digest.add(UInt8(0xFF))
    }
}

/// Reads CSV as RFC 4180 describes it: fields in double quotes where needed, a quote doubled inside them; between fields a
/// comma, a semicolon or a tab.
///
/// Lines end with CRLF or LF, a byte order mark is skipped, blank lines are skipped where there are several columns. Anything
/// that could be read in two ways is refused with its line.
public struct CSVReader {
    private let bytes: [UInt8]
    private var position = 0
    private var line = 1
    private let delimiter: UInt8

    private init(bytes: [UInt8], delimiter: UInt8) {
        self.bytes = bytes
        self.delimiter = delimiter
    }

    /// Reads a whole file in UTF-8.
    ///
    /// - Parameter delimiter: What stands between fields, an ASCII character; nil to tell it by the header.
    public static func table(from bytes: [UInt8], delimiter: UInt8? = nil) throws(SheetModelError) -> CSVTable {
        let known = if let delimiter { delimiter } else { try Self.delimiter(of: bytes) }
        var reader = CSVReader(bytes: bytes, delimiter: known)
        return try reader.table()
    }

    /// What stands most often in the header, outside of quotes; a comma where it has one field.
    private static func delimiter(of bytes: [UInt8]) throws(SheetModelError) -> UInt8 {
        let candidates = [UInt8(ascii: ","), UInt8(ascii: ";"), 0x09]
        var counts = [0, 0, 0]
        var isQuoted = false
        for byte in bytes {
            if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            if isQuoted { continue }
            if byte == UInt8(ascii: "\n") { break }
            if let index = candidates.firstIndex(of: byte) { counts[index] += 1 }
        }
        let most = counts.max() ?? 0
        guard most > 0 else { return candidates[0] }
        guard counts.count(where: { $0 == most }) == 1, let index = counts.firstIndex(of: most) else {
            throw SheetModelError(
                .malformedCSV,
                "line 1 of the CSV has as many of one delimiter as of another (comma, semicolon, tab); say by --delimiter "
                    + "which stands between fields")
        }
        return candidates[index]
    }

    private func failure(_ reason: String, line: Int? = nil) -> SheetModelError {
        SheetModelError(.malformedCSV, "line \(line ?? self.line) of the CSV \(reason)")
    }

    private mutating func table() throws(SheetModelError) -> CSVTable {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        var header: [String]?
        var rows: [[String?]] = []
        while position < bytes.count {
            let start = line
            let (record, isQuoted) = try record()
            guard let columns = header?.count else {
                header = record
                continue
            }
            if columns > 1, record == [""], !isQuoted { continue }
            guard record.count == columns else {
                throw failure(
                    "has \(record.count) \(record.count == 1 ? "field" : "fields"), the header has \(columns), with "
                        + "\(delimiterName) between them (--delimiter names another)",
                    line: start)
            }
            rows.append(record.map { $0.isEmpty ? nil : $0 })
        }
        guard let header else { throw SheetModelError(.malformedCSV, "the CSV is empty") }
        return CSVTable(header: header, rows: rows, delimiter: delimiter)
    }

    private var delimiterName: String {
        switch delimiter {
        case UInt8(ascii: ","): "a comma"
        case UInt8(ascii: ";"): "a semicolon"
        case 0x09: "a tab"
        default: "the delimiter"
        }
    }

    private mutating func record() throws(SheetModelError) -> (fields: [String], isQuoted: Bool) {
        var fields: [String] = []
        var isQuoted = false
        while true {
            let start = line
            let field: String
            if position < bytes.count, bytes[position] == UInt8(ascii: "\"") {
                field = try quotedField()
                isQuoted = true
            } else {
                field = try plainField()
            }
            if field.utf8.contains(0) {
                throw failure(
                    "has a NUL in field \(fields.count + 1), which no cell can hold; take it out, or save the file as UTF-8 "
                        + "if it is UTF-16", line: start)
            }
            fields.append(field)
            guard position < bytes.count else { return (fields, isQuoted) }
            switch bytes[position] {
            case delimiter: position += 1
            case UInt8(ascii: "\r"):
                guard position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: "\n") else {
                    throw failure("has a carriage return without a line feed")
                }
                position += 1
                fallthrough
            case UInt8(ascii: "\n"):
                position += 1
                line += 1
                return (fields, isQuoted)
            default: throw failure("has text behind a closing quote")
            }
        }
    }

    private mutating func plainField() throws(SheetModelError) -> String {
        let start = position
        while position < bytes.count {
            switch bytes[position] {
            case delimiter, UInt8(ascii: "\r"), UInt8(ascii: "\n"): return try text(bytes[start..<position])
            case UInt8(ascii: "\""): throw failure("has a quote inside a field that is not in quotes")
            default: position += 1
            }
        }
        return try text(bytes[start..<position])
    }

    private mutating func quotedField() throws(SheetModelError) -> String {
        let firstLine = line
        var field: [UInt8] = []
        position += 1
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: "\"") {
                guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { return try text(field[...]) }
                position += 1
            }
            if byte == UInt8(ascii: "\n") { line += 1 }
            field.append(byte)
        }
        throw failure("opens a quote that nothing closes", line: firstLine)
    }

    private func text(_ field: ArraySlice<UInt8>) throws(SheetModelError) -> String {
        guard let text = String(validating: field, as: UTF8.self) else { throw failure("is not UTF-8") }
        return text
    }
}

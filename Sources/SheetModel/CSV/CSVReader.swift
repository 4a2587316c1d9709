/// Reads CSV as RFC 4180 describes it: commas, fields in double quotes where needed, a quote doubled inside them.
///
/// Lines end with CRLF or LF, a byte order mark is skipped, blank lines are skipped where there are several columns. Anything
/// that could be read in two ways is refused with its line.
public struct CSVReader {
    private let bytes: [UInt8]
    private var position = 0
    private var line = 1

    private init(bytes: [UInt8]) { self.bytes = bytes }

    /// Reads a whole file in UTF-8.
    public static func table(from bytes: [UInt8]) throws(SheetModelError) -> CSVTable {
        var reader = CSVReader(bytes: bytes)
        return try reader.table()
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
                    "has \(record.count) \(record.count == 1 ? "field" : "fields"), the header has \(columns)",
                    line: start)
            }
            rows.append(record.map { $0.isEmpty ? nil : $0 })
        }
        guard let header else { throw SheetModelError(.malformedCSV, "the CSV is empty") }
        return CSVTable(header: header, rows: rows)
    }

    private mutating func record() throws(SheetModelError) -> (fields: [String], isQuoted: Bool) {
        var fields: [String] = []
        var isQuoted = false
        while true {
            if position < bytes.count, bytes[position] == UInt8(ascii: "\"") {
                fields.append(try quotedField())
                isQuoted = true
            } else {
                fields.append(try plainField())
            }
            guard position < bytes.count else { return (fields, isQuoted) }
            switch bytes[position] {
            case UInt8(ascii: ","): position += 1
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
            case UInt8(ascii: ","), UInt8(ascii: "\r"), UInt8(ascii: "\n"): return try text(bytes[start..<position])
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

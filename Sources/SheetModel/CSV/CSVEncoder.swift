import Arithmetic
public import JSON

/// Writes the rows of a checked sheet as CSV (RFC 4180): UTF-8, commas, line ends of carriage return and line feed.
///
/// Every cell is quoted. Text that a spreadsheet program would take for a formula gets an apostrophe before it. Numbers stay
/// numbers; dates and times are ISO 8601 text by their column's type.
public struct CSVEncoder: Sendable {
    private let columns: [Column]

    /// Makes an encoder for the rows of one sheet.
    public init(columns: [Column]) { self.columns = columns }

    /// The line with the columns' names.
    public func header() -> [UInt8] {
        var line: [UInt8] = []
        for (index, column) in columns.enumerated() {
            if index > 0 { line.append(UInt8(ascii: ",")) }
            Self.write(text: column.name, to: &line)
        }
        return line + [0x0D, 0x0A]
    }

    /// The line of a row, from the row's own line as a `RowSource` has it.
    public func row(_ line: ArraySlice<UInt8>) throws(JSONError) -> [UInt8] {
        var reader = JSONReader(Array(line))
        var written: [UInt8] = []
        written.reserveCapacity(line.count + 2)
        try reader.beginArray()
        for (index, column) in columns.enumerated() {
            if index > 0 { written.append(UInt8(ascii: ",")) }
            guard try reader.nextElement() else {
                written += Self.empty
                continue
            }
            switch reader.peek() {
            case UInt8(ascii: "-"), (UInt8(ascii: "0")...UInt8(ascii: "9"))?:
                let number = try reader.number()
                Self.write(plain: Self.dateText(number.double, column.type) ?? number.text, to: &written)
            default: Self.write(try RowLine.cell(from: &reader, type: column.type), to: &written)
            }
        }
        return written + [0x0D, 0x0A]
    }

    private static func write(_ cell: Cell, to line: inout [UInt8]) {
        switch cell.value {
        case .empty: line += empty
        case .number(let number): write(plain: number.description, to: &line)
        case .boolean(let truth): write(plain: truth ? "TRUE" : "FALSE", to: &line)
        case .formula(let formula): write(text: formula, to: &line)
        case .text(let text):
            if let link = cell.link, link != text {
                write(text: "\(text) <\(link)>", to: &line)
            } else {
                write(text: text, to: &line)
            }
        }
    }

    /// A cell that holds nothing, quoted as every other one.
    private static let empty = Array("\"\"".utf8)

    /// Writes what has no quote in it and is no text.
    private static func write(plain text: String, to line: inout [UInt8]) {
        line.append(UInt8(ascii: "\""))
        line += text.utf8
        line.append(UInt8(ascii: "\""))
    }

    private static func write(text: String, to line: inout [UInt8]) {
        let utf8 = text.utf8
        // What programs that open CSV take for the beginning of a formula; some skip line breaks before it.
        let isRisky = utf8.first.map { "=+-@\t\r\n".utf8.contains($0) } ?? false
        line.append(UInt8(ascii: "\""))
        if isRisky { line.append(UInt8(ascii: "'")) }
        for byte in utf8 {
            if byte == UInt8(ascii: "\"") { line.append(byte) }
            line.append(byte)
        }
        line.append(UInt8(ascii: "\""))
    }

    /// What a serial number of a date or time says; nil for columns of other types.
    private static func dateText(_ serial: Double, _ type: ColumnType) -> String? {
        switch type {
        case .date, .time, .datetime: break
        default: return nil
        }
        guard abs(serial) < 4_000_000 else { return nil }
        // To the millisecond: what lies behind that is the double's own roughness.
        let moment = Int((serial * 86_400_000).rounded())
        var days = moment / 86_400_000
        var time = moment % 86_400_000
        if time < 0 {
            days -= 1
            time += 86_400_000
        }
        let date = CivilDate(daysSinceEpoch: days - DateText.epochSerial).iso8601
        // A duration goes on behind a day; before zero it has a sign.
        let isDuration = type == .time
        if isDuration { time = abs(moment) }
        let seconds = time / 1000
        var clock =
            "\(isDuration && moment < 0 ? "-" : "")\((seconds / 3600).padded(to: 2)):\((seconds / 60 % 60).padded(to: 2)):\((seconds % 60).padded(to: 2))"
        var fraction = (time % 1000).padded(to: 3)[...]
        while fraction.last == "0" { fraction.removeLast() }
        if !fraction.isEmpty { clock += ".\(fraction)" }
        return type == .date ? date : type == .time ? clock : "\(date) \(clock)"
    }
}

import JSON

/// Makes lines of rows whose cells come as a database's text, without a value for each cell.
///
/// Numbers and dates are copied or computed byte by byte; what is spelled unusually, or asked to be of another type than its
/// own, goes through `CellConverter`, whose rule is the only one. The lines are those of `RowLine`, each with a line feed behind it.
public struct TextRowWriter: Sendable {
    /// How a column's text becomes a cell.
    private enum Way {
        case text, integer, decimal, float, boolean, booleanAsText, date, time, timestamp, timestampWithOffset, json
        /// By the type's converter.
        case converted
    }

    private let sheet: Int
    private let columns: [Column]
    private let ways: [Way]
    private let converters: [CellConverter]
    private var zone: ZoneOffsets
    private var tally: WarningTally
    private var buffer: JSONWriter
    private var column = 0
    private let checksEncoding: Bool
    /// How many rows have been written.
    public private(set) var rows = 0

    /// Makes a writer.
    ///
    /// - Parameters:
    ///   - sheet: The index of the sheet, for errors.
    ///   - columns: The columns, and how the database spells each one's values.
    ///   - checksEncoding: Whether text may be something else than UTF-8 and has to be looked through.
    ///   - capacity: The bytes that there is room for at first.
    public init(
        sheet: Int, columns: [(column: Column, form: TextForm)], timeZone: TimeZoneRules, checksEncoding: Bool = false,
        capacity: Int
    ) {
        self.sheet = sheet
        self.columns = columns.map(\.column)
        self.checksEncoding = checksEncoding
        ways = columns.map { Self.way(from: $0.form, to: Self.type(of: $0.column, $0.form)) }
        converters = columns.map { CellConverter(type: Self.type(of: $0.column, $0.form), timeZone: timeZone) }
        zone = ZoneOffsets(timeZone)
        tally = WarningTally(columns: columns.count)
        buffer = JSONWriter(reserving: capacity)
    }

    /// How many bytes wait to be taken.
    public var count: Int { buffer.count }

    /// The lines since the last `removeAll`.
    public var bytes: ArraySlice<UInt8> { buffer.bytes[...] }

    /// Forgets the lines that somebody has taken.
    public mutating func removeAll() { buffer.removeAll() }

    /// What was not taken over quite as it came, one for each column and kind.
    public func warnings(sheet name: String) -> [ConversionWarning] { tally.warnings(sheet: name, columns: columns) }

    /// Begins a row.
    public mutating func beginRow() {
        column = 0
        buffer.append(UInt8(ascii: "["))
    }

    /// Writes the next cell of the row; nil is an empty one.
    public mutating func append(_ text: Span<UInt8>?) throws(SheetModelError) {
        if column > 0 { buffer.append(UInt8(ascii: ",")) }
        defer { column += 1 }
        // An empty text is an empty cell.
        guard let text, !text.isEmpty else { return buffer.append("null") }
        switch ways[column] {
        case .text: try append(string: text)
        case .integer: try append(integer: text)
        case .decimal: try append(decimal: text)
        case .float:
            // Words are NaN, Infinity and -Infinity; -0 has two bytes.
            guard Self.isDigit(text[text.count - 1]), text[0] != UInt8(ascii: "-") || text.count > 2 else {
                return try convert(text)
            }
            buffer.append(text)
        case .boolean: buffer.append(text[0] == UInt8(ascii: "t") ? "true" : "false")
        case .booleanAsText: buffer.append(text[0] == UInt8(ascii: "t") ? #""true""# : #""false""#)
        case .date:
            guard let days = DateText.days(text) else { return try convert(text) }
            buffer.append(integer: days + DateText.epochSerial)
        case .time:
            guard let time = DateText.time(text) else { return try convert(text) }
            buffer.append(double: Double(time) / Double(DateText.microsecondsPerDay))
        case .timestamp:
            guard let moment = DateText.timestamp(text, hasOffset: false) else { return try convert(text) }
            buffer.append(double: DateText.serial(ofMoment: moment))
        case .timestampWithOffset:
            guard let moment = DateText.timestamp(text, hasOffset: true) else { return try convert(text) }
            let local = moment + zone.offset(at: DateText.second(ofMoment: moment)) * 1_000_000
            guard DateText.years.contains(local) else { return try convert(text) }
            buffer.append(double: DateText.serial(ofMoment: local))
        case .json:
            // Lists and objects stay as the database spells them.
            let isScalar = text[0] != UInt8(ascii: "{") && text[0] != UInt8(ascii: "[")
            let text = Self.text(text)
            try convert((isScalar ? try? JSON(parsing: text) : nil) ?? .string(text))
        case .converted: try convert(text)
        }
    }

    /// Ends the row.
    public mutating func endRow() {
        buffer.append(UInt8(ascii: "]"))
        buffer.append(0x0A)
        rows += 1
    }

    // MARK: The ways

    private static func type(of column: Column, _ form: TextForm) -> ColumnType {
        column.type == .auto ? form.columnType : column.type
    }

    private static func way(from form: TextForm, to type: ColumnType) -> Way {
        switch (type, form) {
        case (_, .json): .json
        case (.text, .boolean): .booleanAsText
        case (.text, _): .text
        case (.number, .integer), (.currency, .integer), (.percent, .integer), (.integer, .integer): .integer
        case (.number, .decimal), (.currency, .decimal), (.percent, .decimal): .decimal
        case (.number, .float), (.currency, .float), (.percent, .float): .float
        case (.boolean, .boolean): .boolean
        case (.date, .date), (.datetime, .date): .date
        case (.time, .time): .time
        case (.datetime, .timestamp): .timestamp
        case (.datetime, .timestampWithOffset): .timestampWithOffset
        default: .converted
        }
    }

    private mutating func append(string text: Span<UInt8>) throws(SheetModelError) {
        // UTF-8 is never shorter than UTF-16.
        if checksEncoding || text.count > Limits.cellLength { return try append(checked: text) }
        buffer.append(string: text)
    }

    private mutating func append(checked bytes: Span<UInt8>) throws(SheetModelError) {
        let text = Self.text(bytes)
        guard text.utf16.count <= Limits.cellLength else {
            throw located(SheetModelError(.cellTooLong, CellConverter.lengthRefusal(text.utf16.count)))
        }
        buffer.append(string: text.utf8Span.span)
    }

    private mutating func append(integer text: Span<UInt8>) throws(SheetModelError) {
        // Fifteen digits always come back from a double.
        if text.count <= 15 { buffer.append(text) } else { try convert(text) }
    }

    private mutating func append(decimal text: Span<UInt8>) throws(SheetModelError) {
        guard Self.isDigit(text[text.count - 1]) else { return try convert(text) }
        var end = text.count
        if text.count > 15 {
            // Postgres fills a fraction up with zeros, which say nothing.
            var hasPoint = false
            for index in text.indices where text[index] == UInt8(ascii: ".") { hasPoint = true }
            if hasPoint {
                while text[end - 1] == UInt8(ascii: "0") { end -= 1 }
                if text[end - 1] == UInt8(ascii: ".") { end -= 1 }
            }
        }
        // Fifteen digits always come back from a double.
        guard end <= 15 else { return try convert(text) }
        buffer.append(text.extracting(0..<end))
    }

    private mutating func convert(_ text: Span<UInt8>) throws(SheetModelError) {
        try convert(.string(Self.text(text)))
    }

    private mutating func convert(_ value: JSON) throws(SheetModelError) {
        do throws(SheetModelError) {
            let (cell, warning) = try converters[column].convert(value)
            if let warning { tally.add(warning, column: column) }
            var writer = JSONWriter(reserving: 32)
            RowLine.write(cell, as: columns[column].type, to: &writer)
            buffer.append(writer.bytes.span)
        } catch {
            throw located(error)
        }
    }

    private func located(_ error: SheetModelError) -> SheetModelError {
        SheetModelError(error.code, at: .cell(row: rows, column: column, sheet: sheet), error.message)
    }

    /// The text; what is not UTF-8 becomes the mark for that.
    private static func text(_ bytes: Span<UInt8>) -> String {
        if let utf8 = try? UTF8Span(validating: bytes) { return String(copying: utf8) }
        return String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }
}

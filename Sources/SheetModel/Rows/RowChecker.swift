import JSON

/// Checks the rows of one sheet and makes lines of them, one row after another.
///
/// What is as usual is written as it came; only the rest becomes a `Cell` on its way.
struct RowChecker {
    private let sheet: Int
    private let columns: [Column]
    private let converters: [CellConverter]
    private var tally: WarningTally
    /// The index of the column of each name; nil as long as no row was an object.
    private var places: [String: Int]?
    /// How many cells of the row that is being written are there.
    private var written = 0
    /// The rows that have been checked.
    private(set) var rows = RowBuffer()
    /// Which columns they name, where one of them does not name all.
    private(set) var members: RowMembers?
    /// How many values had the name of no column, by their names.
    private var strangers: [String: Int] = [:]
    /// So many names are told apart.
    private static let mostStrangers = 50

    /// Makes a checker.
    ///
    /// - Parameters:
    ///   - sheet: The index of the sheet, for errors.
    ///   - count: How many rows will come, where that is known.
    init(sheet: Int, columns: [Column], timeZone: TimeZoneRules, rows count: Int = 0) {
        self.sheet = sheet
        self.columns = columns
        converters = columns.map { CellConverter(type: $0.type, timeZone: timeZone) }
        tally = WarningTally(columns: columns.count)
        rows.reserve(rows: count)
    }

    /// Takes the next row, an array or an object, which is filled with empty cells where it lacks some.
    mutating func take(_ row: JSON) throws(SheetModelError) {
        if rows.count.isMultiple(of: Self.rowsBetweenLooks) { try SheetModelError.checkCancellation() }
        written = 0
        rows.lines.append(UInt8(ascii: "["))
        switch row {
        case .array(let values): try take(values)
        case .text(let text): try take(Array(text))
        case .object(let members): try take(members)
        case .null, .bool, .number, .string:
            throw SheetModelError(
                .cellType, at: .row(rows.count, sheet: sheet), "expected an array or an object, got \(row.kind)")
        }
        fill(upTo: columns.count)
        rows.lines.append(UInt8(ascii: "]"))
        rows.endLine()
    }

    /// How many rows are taken between two looks whether the task is cancelled.
    private static let rowsBetweenLooks = 1_000

    private mutating func take(_ values: [JSON]) throws(SheetModelError) {
        guard values.count <= columns.count else {
            throw SheetModelError(
                .rowTooLong, at: .row(rows.count, sheet: sheet),
                "has \(values.count) \(values.count == 1 ? "value" : "values"), but there "
                    + (columns.count == 1 ? "is 1 column" : "are \(columns.count) columns"))
        }
        for (column, value) in values.enumerated() { try take(value, column) }
    }

    /// Brings the members of an object into the columns' order; of a repeated one the last counts.
    private mutating func take(_ members: JSONObject) throws(SheetModelError) {
        let places = places ?? Dictionary(columns.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { $1 })
        self.places = places
        let found = members.indices.compactMap { index in places[members[index].name].map { (column: $0, index: index) }
        }
        .sorted { ($0.column, $0.index) < ($1.column, $1.index) }
        if found.count < members.count { try note(members, places) }
        if found.count < columns.count {
            var named: [Int] = []
            for member in found where named.last != member.column { named.append(member.column) }
            if named.count < columns.count { self.members = self.members ?? RowMembers() }
            if named.count < columns.count { self.members?.add(named, row: rows.count) }
        }
        for (place, member) in found.enumerated()
        where place + 1 == found.count || found[place + 1].column != member.column {
            try take(members[member.index].value, member.column)
        }
    }

    /// Counts the members of an object that no column takes; refuses one that has no other.
    private mutating func note(_ members: JSONObject, _ places: [String: Int]) throws(SheetModelError) {
        let names = members.names.filter { places[$0] == nil }
        guard names.count < members.count else {
            let known = Dictionary(
                columns.map { (Self.plain($0.name), $0.name) }, uniquingKeysWith: { first, _ in first })
            let meant = names.lazy.compactMap { name in known[Self.plain(name)].map { (name, $0) } }.first
            throw SheetModelError(
                .cellType, at: .row(rows.count, sheet: sheet),
                "has no member with the name of a column"
                    + (meant.map { "; did you mean \(excerpt($0.1)) by \(excerpt($0.0))?" }
                        ?? ": columns are " + columns.prefix(20).map { excerpt($0.name) }.joined(separator: ", ")
                        + (columns.count > 20 ? ", …" : "")))
        }
        for name in names where strangers[name] != nil || strangers.count < Self.mostStrangers {
            strangers[name, default: 0] += 1
        }
    }

    /// A name without case, blanks, hyphens and underscores.
    private static func plain(_ name: String) -> String {
        HeaderName.folded(name).filter { $0 != " " && $0 != "_" && $0 != "-" }
    }

    /// Writes a value behind empty cells up to its column; `null` becomes one of those that follow.
    private mutating func take(_ value: JSON, _ column: Int) throws(SheetModelError) {
        if case .null = value { return }
        fill(upTo: column)
        if column > 0 { rows.lines.append(UInt8(ascii: ",")) }
        if !write(plain: value, as: columns[column].type) { try convert(value, column) }
        written = column + 1
    }

    private mutating func fill(upTo column: Int) {
        guard written < column else { return }
        if written > 0 { rows.lines.append(UInt8(ascii: ",")) }
        rows.appendEmptyCells(column - written)
        written = column
    }

    /// What was not taken over quite as it came, one for each column and kind.
    func warnings(sheet name: String) -> [ConversionWarning] {
        tally.warnings(sheet: name, columns: columns)
            + strangers.sorted { $0.key < $1.key }.map {
                ConversionWarning(sheet: name, column: $0.key, kind: .noColumn, count: $0.value)
            }
    }

    /// Writes a value as it came; false, with nothing written, where it is for its column's converter.
    private mutating func write(plain value: JSON, as type: ColumnType) -> Bool {
        switch value {
        case .null:
            rows.lines.append("null")
        case .bool(let truth):
            guard type == .auto || type == .boolean else { return false }
            rows.lines.append(truth ? "true" : "false")
        case .string(let text):
            // UTF-8 is never shorter than UTF-16.
            guard type == .auto || type == .text, text.utf8.count <= Limits.cellLength else { return false }
            if text.isEmpty { rows.lines.append("null") } else { rows.lines.append(string: text.utf8Span.span) }
        case .number(let number):
            guard type == .auto || type == .number || type == .currency || type == .percent else { return false }
            let text = number.text.utf8Span.span
            guard let plain = PlainNumeral(text) else { return false }
            rows.lines.append(text.extracting(0..<plain.count))
        case .array, .text, .object: return false
        }
        return true
    }

    private mutating func convert(_ value: JSON, _ column: Int) throws(SheetModelError) {
        do throws(SheetModelError) {
            let (cell, warning) = try converters[column].convert(value)
            if let warning { tally.add(warning, column: column) }
            var writer = JSONWriter(reserving: 32)
            RowLine.write(cell, as: columns[column].type, to: &writer)
            rows.lines.append(writer.bytes.span)
        } catch {
            throw SheetModelError(error.code, at: .cell(row: rows.count, column: column, sheet: sheet), error.message)
        }
    }
}

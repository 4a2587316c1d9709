import Google
import JSON
public import Postgres
import SheetModel

/// What mirrors wrote the last time, in the queue's schema.
public struct MirrorMemory: Sendable {
    private let connection: Connection
    private let schema: String

    /// Makes the memory of an installation.
    public init(on connection: Connection, schema: String) {
        self.connection = connection
        self.schema = schema
    }

    /// A sheet, and the columns and the key that a mirror has there; several mirrors may share a sheet.
    struct Place: Sendable {
        let spreadsheetID: String
        /// The name on the tab.
        let sheet: String
        /// The digest of the columns and the key.
        let definition: String
    }

    /// All that is known of a mirror but its rows.
    struct Record: Sendable {
        let sheetID: Int
        let definition: String
        /// The digest of the rows; empty where somebody may have written since.
        var result: String
        let login: String
        let timeZone: String
        let url: String
        let head: MirrorHead
        /// Whether the whole sheet was read in the last hour.
        let isFresh: Bool
    }

    /// What is known of a sheet by its name; the mirror of the last job comes first.
    func find(_ sheet: String, of spreadsheetID: String) async throws(PostgresError) -> [Record] {
        let rows = try await connection.query(
            """
            select sheet_id, definition, result, login, time_zone, url, head::text as head,
                   read_at > now() - interval '1 hour' as fresh
            from \(identifier: schema).mirror_base
            where spreadsheet_id = \(spreadsheetID) and sheet = \(storable: sheet.lowercased())
            order by used_at desc
            """)
        var records: [Record] = []
        for row in rows {
            guard let json = try? JSON(parsing: try row.text("head")), let head = MirrorHead(json) else { continue }
            records.append(
                Record(
                    sheetID: try row.int("sheet_id"), definition: try row.text("definition"),
                    result: try row.text("result"), login: try row.text("login"), timeZone: try row.text("time_zone"),
                    url: try row.text("url"), head: head, isFresh: try row.bool("fresh")))
        }
        return records
    }

    /// The rows that were written, and those that a write may have brought whose end nobody saw.
    func base(of place: Place) async throws(PostgresError) -> (base: MirrorBase, pending: MirrorBase) {
        let rows = try await connection.query(
            """
            select encode(base, 'hex') as base, encode(pending, 'hex') as pending from \(identifier: schema).mirror_base
            where spreadsheet_id = \(place.spreadsheetID) and sheet = \(storable: place.sheet.lowercased())
              and definition = \(place.definition)
            """)
        guard let row = rows.first, let base = MirrorBase(packed: Self.bytes(try row.text("base"))) else {
            return (.empty, .empty)
        }
        return (base, MirrorBase(packed: Self.bytes(try row.text("pending"))) ?? .empty)
    }

    /// Notes that a write begins: until its end is noted, what it brings counts as written too, and no mirror of the sheet takes
    /// its rows for known.
    func begin(_ pending: MirrorBase, in place: Place) async throws(PostgresError) {
        try await connection.query(
            """
            update \(identifier: schema).mirror_base
            set pending = case when definition = \(place.definition)
                               then decode(\(Self.text(pending.packed)), 'hex') else pending end,
                result = ''
            where spreadsheet_id = \(place.spreadsheetID) and sheet = \(storable: place.sheet.lowercased())
            """)
    }

    /// Notes that a job writes which is no mirror: none of the spreadsheet takes its rows for known any more.
    func invalidate(_ spreadsheetID: String) async throws(PostgresError) {
        try await connection.query(
            """
            update \(identifier: schema).mirror_base set result = ''
            where spreadsheet_id = \(spreadsheetID) and result <> ''
            """)
    }

    /// Notes that the spreadsheet shows times in another zone than before.
    func forgetZone(of spreadsheetID: String) async throws(PostgresError) {
        try await connection.query(
            """
            update \(identifier: schema).mirror_base set read_at = '-infinity' where spreadsheet_id = \(spreadsheetID)
            """)
    }

    /// Keeps what is known of a mirror whose sheet was read, in place of all before.
    func save(
        _ record: Record, _ base: MirrorBase, pending: MirrorBase = .empty, in place: Place
    ) async throws(PostgresError) {
        try await connection.query(
            """
            insert into \(identifier: schema).mirror_base
                (spreadsheet_id, sheet, sheet_id, definition, result, rows, login, time_zone, url, head, base, pending,
                 read_at)
            values (\(place.spreadsheetID), \(storable: place.sheet.lowercased()), \(record.sheetID), \(place.definition),
                    \(record.result), \(base.count), \(storable: record.login), \(record.timeZone), \(record.url),
                    \(storable: record.head.json.description)::jsonb, decode(\(Self.text(base.packed)), 'hex'),
                    decode(\(Self.text(pending.packed)), 'hex'), now())
            on conflict (spreadsheet_id, sheet, definition) do update
            set (sheet_id, result, rows, login, time_zone, url, head, base, pending, read_at, used_at) =
                (excluded.sheet_id, excluded.result, excluded.rows, excluded.login, excluded.time_zone, excluded.url,
                 excluded.head, excluded.base, excluded.pending, excluded.read_at, now())
            """)
        // Whatever nobody has mirrored for half a year is gone, or begins anew.
        try await connection.query(
            "delete from \(identifier: schema).mirror_base where used_at < now() - interval '180 days'")
    }

    /// Forgets what a mirror wrote.
    func forget(_ place: Place) async throws(PostgresError) {
        try await connection.query(
            """
            delete from \(identifier: schema).mirror_base
            where spreadsheet_id = \(place.spreadsheetID) and sheet = \(storable: place.sheet.lowercased())
              and definition = \(place.definition)
            """)
    }

    private static let digits = Array("0123456789abcdef".utf8)

    private static func text(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count * 2)
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func bytes(_ text: String) -> [UInt8] {
        func value(_ digit: UInt8) -> UInt8 { digit < 58 ? digit &- 48 : digit &- 87 }
        var bytes: [UInt8] = []
        var high: UInt8?
        for digit in text.utf8 {
            if let first = high {
                bytes.append(value(first) << 4 | value(digit))
                high = nil
            } else {
                high = digit
            }
        }
        return bytes
    }
}

extension MirrorMemory.Record {
    /// What is known of a sheet that was read just now, before its rows are.
    init(
        sheetID: Int, of target: TargetSpreadsheet, _ place: MirrorMemory.Place, login: String, head: MirrorHead
    ) {
        self.init(
            sheetID: sheetID, definition: place.definition, result: "", login: login,
            timeZone: target.timeZone ?? "Etc/GMT", url: target.url, head: head, isFresh: true)
    }

    /// The summary of a sheet that holds its rows already.
    func summary(of sheet: CheckedSheet) -> SheetSummary {
        var summary = SheetSummary(
            name: sheet.name, id: sheetID, rows: sheet.rows.count, columns: sheet.columns.count,
            cells: sheet.rows.count * sheet.columns.count)
        var changes = MirrorComparison.Counts()
        (changes.unchanged, changes.kept) = (max(0, sheet.rows.count - head.edited), head.kept)
        summary.changes = changes
        return summary
    }
}

/// What the header of a mirrored sheet showed, and how rows below it look.
struct MirrorHead: Sendable, Hashable {
    /// The index of its row.
    let row: Int
    /// What each of the job's columns shows there, without number formats.
    let names: [String]
    /// Google's `NumberFormat` of each of the job's columns, as the row below the header has it.
    let formats: [JSON]
    /// Whether boxes to tick stand below it.
    let hasBoxes: Bool
    /// When it was read.
    private var seconds = Timestamp.now().seconds
    /// How large the sheet was as answers, in bytes.
    var size = 0
    /// How many rows stayed other than they should be, and how many of those because people had changed them.
    var (kept, edited) = (0, 0)

    init(row: Int, names: [String], formats: [JSON?], hasBoxes: Bool) {
        self.row = row
        self.names = names
        self.formats = formats.map { $0 ?? .null }
        self.hasBoxes = hasBoxes
    }

    /// That of a sheet that was made just now.
    init(of sheet: CheckedSheet) {
        self.init(
            row: 0, names: sheet.columns.map(\.name), formats: sheet.columns.map { _ in nil }, hasBoxes: false)
    }

    /// Whether it was read in the last hour: people may have given the rows another look since.
    var isFresh: Bool { (0..<3_600).contains(Timestamp.now().seconds - seconds) }

    init?(_ json: JSON) {
        guard let row = json["row"]?.int, let names = json["names"]?.array?.compactMap(\.string),
            let formats = json["formats"]?.array, let hasBoxes = json["boxes"]?.bool,
            let seconds = json["seconds"]?.int
        else { return nil }
        self.init(row: row, names: names, formats: formats.map { $0 }, hasBoxes: hasBoxes)
        self.seconds = seconds
        (size, kept, edited) = (json["size"]?.int ?? 0, json["kept"]?.int ?? 0, json["edited"]?.int ?? 0)
    }

    var json: JSON {
        [
            "row": JSON(row), "names": .array(names.map(JSON.string)), "formats": .array(formats),
            "boxes": .bool(hasBoxes), "seconds": JSON(seconds), "size": JSON(size), "kept": JSON(kept),
            "edited": JSON(edited),
        ]
    }
}

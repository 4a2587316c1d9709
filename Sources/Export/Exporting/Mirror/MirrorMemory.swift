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

    /// All that is known of a sheet but its rows.
    struct Record: Sendable {
        let sheetID: Int
        let definition: String
        /// The digest of the rows; empty where a write was begun since.
        let result: String
        let timeZone: String
        let url: String
        let head: MirrorHead
        /// Whether the whole sheet was read in the last hour.
        let isFresh: Bool
    }

    /// Finds a sheet by its name.
    func find(_ sheet: String, of spreadsheetID: String) async throws(PostgresError) -> Record? {
        let rows = try await connection.query(
            """
            select sheet_id, definition, result, time_zone, url, head::text as head,
                   read_at > now() - interval '1 hour' as fresh
            from \(identifier: schema).mirror_base
            where spreadsheet_id = \(spreadsheetID) and sheet = \(storable: sheet.lowercased())
            """)
        guard let row = rows.first, let json = try? JSON(parsing: try row.text("head")), let head = MirrorHead(json)
        else { return nil }
        return Record(
            sheetID: try row.int("sheet_id"), definition: try row.text("definition"), result: try row.text("result"),
            timeZone: try row.text("time_zone"), url: try row.text("url"), head: head, isFresh: try row.bool("fresh"))
    }

    /// The rows that were written, with those that a write may have brought whose end nobody saw.
    func base(of sheet: String, in spreadsheetID: String) async throws(PostgresError) -> MirrorBase {
        let rows = try await connection.query(
            """
            select encode(base, 'hex') as base, encode(pending, 'hex') as pending from \(identifier: schema).mirror_base
            where spreadsheet_id = \(spreadsheetID) and sheet = \(storable: sheet.lowercased())
            """)
        guard let row = rows.first, let base = MirrorBase(packed: Self.bytes(try row.text("base"))) else {
            return .empty
        }
        return base.adding(Digest128.list(Self.bytes(try row.text("pending"))))
    }

    /// Notes that a write begins which may bring rows: until its end is noted, they count as written and the result as unknown.
    func begin(_ keys: [Digest128], in sheet: String, of spreadsheetID: String) async throws(PostgresError) {
        try await connection.query(
            """
            update \(identifier: schema).mirror_base
            set pending = pending || decode(\(Self.text(Digest128.bytes(keys))), 'hex'), result = '', used_at = now()
            where spreadsheet_id = \(spreadsheetID) and sheet = \(storable: sheet.lowercased())
            """)
    }

    /// Keeps what is known of a sheet in place of all before.
    ///
    /// - Parameter isRead: Whether the whole sheet was read for it.
    func save(
        _ record: Record, _ base: MirrorBase, pending: [Digest128] = [], of sheet: String, in spreadsheetID: String,
        isRead: Bool = true
    ) async throws(PostgresError) {
        try await connection.query(
            """
            insert into \(identifier: schema).mirror_base
                (spreadsheet_id, sheet, sheet_id, definition, result, rows, time_zone, url, head, base, pending, read_at)
            values (\(spreadsheetID), \(storable: sheet.lowercased()), \(record.sheetID), \(record.definition),
                    \(record.result), \(base.count), \(record.timeZone), \(record.url),
                    \(storable: record.head.json.description)::jsonb, decode(\(Self.text(base.packed)), 'hex'),
                    decode(\(Self.text(Digest128.bytes(pending))), 'hex'), now())
            on conflict (spreadsheet_id, sheet) do update
            set (sheet_id, definition, result, rows, time_zone, url, head, base, pending, read_at, used_at) =
                (excluded.sheet_id, excluded.definition, excluded.result, excluded.rows, excluded.time_zone, excluded.url,
                 excluded.head, excluded.base, excluded.pending,
                 case when \(isRead) then excluded.read_at else mirror_base.read_at end, now())
            """)
        // Whatever nobody has mirrored for half a year is gone, or begins anew.
        try await connection.query(
            "delete from \(identifier: schema).mirror_base where used_at < now() - interval '180 days'")
    }

    /// Forgets what a sheet held.
    func forget(_ sheet: String, of spreadsheetID: String) async throws(PostgresError) {
        try await connection.query(
            """
            delete from \(identifier: schema).mirror_base
            where spreadsheet_id = \(spreadsheetID) and sheet = \(storable: sheet.lowercased())
            """)
    }

    private static let digits = Array("0123456789abcdef".utf8)

    private static func text(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
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

/// What the header of a mirrored sheet showed, and how rows below it look.
struct MirrorHead: Sendable, Hashable {
    /// The index of its row.
    let row: Int
    /// What each of the job's columns shows there, without number formats.
    let names: [String]
    /// Google's `NumberFormat` of each column of the sheet.
    let formats: [JSON]
    /// Whether boxes to tick stand below it.
    let hasBoxes: Bool

    init(row: Int, names: [String], formats: [JSON?], hasBoxes: Bool) {
        self.row = row
        self.names = names
        self.formats = formats.map { $0 ?? .null }
        self.hasBoxes = hasBoxes
    }

    init?(_ json: JSON) {
        guard let row = json["row"]?.int, let names = json["names"]?.array?.compactMap(\.string),
            let formats = json["formats"]?.array, let hasBoxes = json["boxes"]?.bool
        else { return nil }
        self.init(row: row, names: names, formats: formats.map { $0 }, hasBoxes: hasBoxes)
    }

    var json: JSON {
        [
            "row": JSON(row), "names": .array(names.map(JSON.string)), "formats": .array(formats),
            "boxes": .bool(hasBoxes),
        ]
    }
}

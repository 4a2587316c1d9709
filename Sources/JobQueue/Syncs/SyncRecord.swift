public import JSON
public import Postgres

/// A row of the view `syncs`: a job that repeats, as people and other programs see it.
public struct SyncRecord: Sendable {
    /// Its name.
    public let name: String
    /// The row as the view's columns name it.
    public let json: JSON

    init(_ row: Row) throws {
        json = try JSON(parsing: try row.text("row"))
        guard let name = json["name"]?.string else {
            throw PostgresError(.unexpectedResult, "a row of the view syncs lacks a name")
        }
        self.name = name
    }

    /// What its runs do.
    public var kind: String { json["kind"]?.string ?? "" }
    /// Whether somebody has paused it.
    public var isPaused: Bool { json["state"]?.string == "paused" }
    /// The tables whose changes make it due.
    public var tables: [String] { (json["on_change"]?.array ?? []).compactMap(\.string) }
    /// Why its runs fail: code and message; nil where they do not.
    public var lastError: (code: String, message: String)? {
        guard let code = json["last_error"]?["code"]?.string else { return nil }
        return (code, json["last_error"]?["message"]?.string ?? "")
    }

    /// When it runs, such as `0 9 * * mon-fri Europe/Berlin, on change of app.orders`.
    public var when: String {
        var parts: [String] = []
        if let schedule = json["schedule"]?.string {
            let zone = json["time_zone"]?.string ?? "UTC"
            parts.append(schedule.lowercased().contains("every") || zone == "UTC" ? schedule : "\(schedule) \(zone)")
        }
        if !tables.isEmpty { parts.append("on change of \(tables.joined(separator: ", "))") }
        return parts.isEmpty ? "when somebody says so" : parts.joined(separator: ", ")
    }
}

/// What runs did with rows, by the names of the changes: `inserted`, `updated`, `deleted` and others.
public struct RowChanges: Sendable, Equatable, CustomStringConvertible {
    /// The numbers of rows in the order in which people read them; those that there are.
    public let counts: [(change: String, rows: Int)]

    private static let order = ["inserted", "updated", "deleted", "unchanged", "kept", "rejected"]

    /// Reads an object such as `{"inserted": 3}`; nil where there is none.
    public init?(_ json: JSON?) {
        guard let members = json?.object else { return nil }
        counts = members.compactMap { member in member.value.int.map { (member.name, $0) } }.sorted { one, other in
            let places = [one, other].map { Self.order.firstIndex(of: $0.0) ?? Self.order.count }
            return (places[0], one.0) < (places[1], other.0)
        }.map { (change: $0.0, rows: $0.1) }
    }

    /// What a run did, by its job's result: the sum over the sheets of an export, or an import's own; nil where it tells of none.
    public init?(result: JSON?) {
        let sheets = (result?["sheets"]?.array ?? []).compactMap { RowChanges($0["changes"]) }
        if sheets.isEmpty {
            guard let own = result?.object, ["inserted", "updated", "deleted"].contains(where: { own[$0] != nil })
            else {
                return nil
            }
            self.init(.object(JSONObject(own.filter { Self.order.contains($0.name) })))
            return
        }
        var sums: [String: Int] = [:]
        for count in sheets.flatMap(\.counts) { sums[count.change, default: 0] += count.rows }
        self.init(.object(JSONObject(sums.map { .init(name: $0.key, value: JSON($0.value)) })))
    }

    /// Such as `3 inserted, 2 updated`; what was not touched is left out where something was.
    public var description: String {
        let some = counts.filter { $0.rows != 0 }
        let changed = some.filter { !["unchanged", "kept"].contains($0.change) }
        let told = changed.isEmpty ? some : changed
        return told.isEmpty ? "nothing changed" : told.map { "\($0.rows) \($0.change)" }.joined(separator: ", ")
    }

    /// Compares what was counted.
    public static func == (one: RowChanges, other: RowChanges) -> Bool {
        one.counts.elementsEqual(other.counts) { $0 == $1 }
    }
}

extension QueueClient {
    /// The syncs that this login may see, without their payloads, by name.
    public func syncs(limit: Int = 1000) async throws -> [SyncRecord] {
        try await connection.query(
            "select (to_jsonb(s) - 'payload')::text as row from \(identifier: schema).syncs s order by name limit \(limit)"
        ).map { try SyncRecord($0) }
    }

    /// Finds a sync, with its payload.
    public func sync(_ name: String) async throws -> SyncRecord? {
        try await connection.query(
            "select to_jsonb(s)::text as row from \(identifier: schema).syncs s where name = \(name)"
        ).first.map { try SyncRecord($0) }
    }

    /// The runs of a sync without their payloads, the newest first.
    public func runs(of sync: String, limit: Int) async throws -> [JobRecord] {
        try await connection.query(
            """
            select to_jsonb(j) - 'payload' as row from \(identifier: schema).jobs j
            where j.sync = \(sync) order by id desc limit \(limit)
            """
        ).map { try JobRecord($0) }
    }

    /// Makes a run of a sync now and returns its job's number, or that of the run which waits or runs already.
    public func runSync(
        _ name: String, allowDeletes: Bool = false, fromScratch: Bool = false
    ) async throws(PostgresError) -> Int {
        try await connection.query(
            """
            select \(identifier: schema).run_sync(\(name), allow_deletes => \(allowDeletes), from_scratch => \(fromScratch)) as id
            """)[0].int("id")
    }

    /// Lets a sync make no more runs by itself; false where there is none of that name.
    public func pauseSync(_ name: String, reason: String?) async throws(PostgresError) -> Bool {
        try await connection.query("select \(identifier: schema).pause_sync(\(name), \(reason)) as done")[0].bool(
            "done")
    }

    /// Lets a sync make runs again; false where there is none of that name.
    public func resumeSync(_ name: String) async throws(PostgresError) -> Bool {
        try await connection.query("select \(identifier: schema).resume_sync(\(name)) as done")[0].bool("done")
    }

    /// Forgets a sync and cancels its run where that waits; false where there is none of that name.
    public func dropSync(_ name: String) async throws(PostgresError) -> Bool {
        try await connection.query("select \(identifier: schema).drop_sync(\(name)) as done")[0].bool("done")
    }
}

public import Postgres

/// The folders that the installation knows, in the queue's schema.
///
/// An id is written here before the folder is made, so that whoever dies in between leaves enough to go on with.
public struct FolderMemory: Sendable {
    /// A remembered folder.
    struct Entry: Sendable {
        let id: String
        /// Whether Drive is known to have it.
        let isMade: Bool
    }

    private let connection: Connection
    private let schema: String
    private let account: String

    /// Makes the memory of one account's folders.
    public init(on connection: Connection, schema: String, account: String) {
        self.connection = connection
        self.schema = schema
        self.account = account
    }

    func find(_ name: String, in parent: String) async throws(PostgresError) -> Entry? {
        try await connection.query(
            """
            select id, made_at is not null as made from \(identifier: schema).folder
            where account = \(account) and parent = \(parent) and name = \(name)
            """
        ).first.map(Entry.init)
    }

    /// Remembers a folder; where another was first, that one is the answer.
    ///
    /// Of several writers the first wins, and all of them get its row.
    func remember(_ name: String, in parent: String, id: String, isMade: Bool) async throws(PostgresError) -> Entry {
        try Entry(
            try await connection.query(
                """
                insert into \(identifier: schema).folder as f (account, parent, name, id, made_at)
                values (\(account), \(parent), \(name), \(id), case when \(isMade) then now() end)
                on conflict (account, parent, name) do update
                set made_at = coalesce(f.made_at, case when f.id = excluded.id then excluded.made_at end)
                returning id, made_at is not null as made
                """)[0])
    }

    func forget(_ id: String) async throws(PostgresError) {
        try await connection.query(
            "delete from \(identifier: schema).folder where account = \(account) and id = \(id)")
    }
}

extension FolderMemory.Entry {
    fileprivate init(_ row: Row) throws(PostgresError) {
        id = try row.text("id")
        isMade = try row.bool("made")
    }
}

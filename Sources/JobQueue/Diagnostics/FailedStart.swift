public import Postgres

extension Schema {
    /// Notes for `status` and `why` that a daemon could not start on this machine, and why; nil that one has.
    public func noteStart(on machine: String, failure: String?, over connection: Connection) async throws(PostgresError)
    {
        try await connection.query(
            """
            delete from \(identifier: name).failed_start
            where \(failure)::text is null or at < now() - interval '30 days'
            """)
        guard let failure else { return }
        try await connection.query(
            """
            insert into \(identifier: name).failed_start (machine, at, error)
            values (left(\(machine), 200), clock_timestamp(), left(\(storable: failure), 2000))
            on conflict (machine) do update set at = excluded.at, error = excluded.error
            """)
    }
}

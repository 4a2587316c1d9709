public import Postgres

extension Connection {
    /// Tries whether the server takes 300 kB, and leaves nothing behind; returns its error where it does not.
    ///
    /// A temporary table of a transaction that is rolled back, beside the database's own files. A login that may not have
    /// one knows nothing, and nothing is said.
    public func probeWritable() -> PostgresError? {
        do throws(PostgresError) {
            try script(
                """
                begin; set local temp_tablespaces = '';
                create temporary table sheetsync_trial (text text);
                insert into sheetsync_trial select repeat('x', 1000) from generate_series(1, 300);
                rollback
                """)
            return nil
        } catch {
            try? script("rollback")
            // Read-only, without room, or with a broken disk.
            let isRefusal = error.sqlState.map { $0 == "25006" || $0.hasPrefix("53") || $0.hasPrefix("58") } ?? false
            return isRefusal ? error : nil
        }
    }
}

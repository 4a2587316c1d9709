import Foundation
import JSON
import JobQueue
import Postgres
import PostgresServer
import TestSupport
import Testing

/// The schema goes a step ahead while this program's daemon works, as when a newer release is installed beside it.
@Suite(.serialized) struct UpgradeTests {
    /// A later release's step: columns, an index, and functions that older programs call.
    private static let step = """
        alter table job add column note text;
        alter table outcome add column cost bigint not null default 0;
        create index job_note on job (note);
        create or replace function notify_finalized(ids bigint[], states text[]) returns void
        language sql
        as $$
            select try_notify('sheetsync_finalized', jsonb_build_object('id', j.id, 'state', j.state, 'note', '')::text)
            from unnest(ids, states) j(id, state)
        $$;
        select secure_functions();
        """

    @Test func aDaemonWorksOnWhileTheSchemaGoesAhead() async throws {
        try await Stage.with { stage in
            let known = Schema.sheetsync.steps.count
            let later = known + 1
            let owner = Program(environment: [
                "DATABASE_URL": stage.queue.server.tcpURL(database: stage.queue.database)
            ])
            let daemon = stage.daemon.with(["SHEETSYNC_LIST_DELAY": "0.2", "SHEETSYNC_CONCURRENCY": "8"])
            try await daemon.withDaemon { running in
                let producing = Task {
                    for number in 1...20 {
                        _ = try await stage.enqueue("export", export("Export \(number)"))
                        _ = try await stage.queue.psql(
                            "select count(sheetsync.enqueue('noop', '{}')) from generate_series(1, 20)",
                            as: stage.name(.producer))
                    }
                }
                try await wait(for: "work", seeing: { running.errors }) {
                    try await stage.queue.inspector.count(.outcome) >= 20
                }
                let ended = try await stage.queue.inspector.count(.outcome)
                try await migrate(to: later, stage)
                // A second one at the same time, of the release that is there already.
                let same = try await owner("migrate").expect(0)
                #expect(same.line == "schema sheetsync is at step \(later)", "\(same)")
                // The next daemon comes up beside it, as in a rolling deploy, and both work on.
                try await daemon.withDaemon { next in
                    let said = running.errors.utf8.count
                    _ = try await stage.queue.psql(
                        #"select count(sheetsync.enqueue('noop', '{"sleep_ms": 300}')) from generate_series(1, 40)"#)
                    try await producing.value
                    try await wait(for: "460 jobs", within: .seconds(120), seeing: { running.errors + next.errors }) {
                        try await stage.queue.inspector.count(.outcome) == 460
                    }
                    for (name, said) in [
                        ("first", running.errors.utf8.dropFirst(said)), ("next", next.errors.utf8[...]),
                    ] {
                        #expect(String(said)?.contains("job completed") == true, "the \(name) daemon did nothing")
                    }
                }
                #expect(ended < 420, "the step came in the middle, after \(ended) jobs")
                let states = "select state, max(attempt), count(*) from sheetsync.jobs group by 1"
                #expect(try await stage.queue.psql(states) == "completed|1|460", "no attempt is lost")
                #expect(stage.spreadsheets.count == 20, "lost 0, duplicated 0")
                print("a step ahead after \(ended) of 460 jobs; \(stage.spreadsheets.count) of 20 spreadsheets")
            }
            // Rolled back, the older program starts on the newer schema, until the schema says otherwise.
            var left = 0
            let ended = try await daemon.with(["SHEETSYNC_LEASE_SECONDS": "5"]).launch(["run"]) { running in
                try await running.expectToSay("worker is ready")
                #expect(try await stage.ended(try await stage.enqueue("export", export("Older"))).state == "completed")
                let last = try await stage.enqueue("noop", ["sleep_ms": 5000])
                try await stage.queue.expect(last, "running")
                _ = try await stage.queue.psql(
                    "update sheetsync.setting set value = '\(later)' where name = 'min_binary'")
                try await daemon("run").expectRefusal(3, "step \(later)", "install the newer sheetsync")
                // Who runs already notices, claims no more, lets its jobs end and goes.
                try await running.expectToSay("claiming no more jobs: the schema is at step \(later)")
                left = try await stage.enqueue("noop", [:])
                #expect(try await stage.ended(last).state == "completed")
            }.expect(3)
            #expect(ended.errors.contains("install the newer sheetsync"), "\(ended)")
            #expect(try await stage.job(left).state == "available", "it is left to newer programs")
            #expect(try await stage.queue.inspector.count(.worker) == 0, "it has signed off")
        }
    }

    /// Applies a later release's step as its `migrate` does: in one transaction, as the owner.
    private func migrate(to number: Int, _ stage: Stage) async throws {
        _ = try await stage.queue.psql(
            """
            begin;
            select pg_advisory_xact_lock(hashtextextended('sheetsync migrate sheetsync', 0));
            set local role sheetsync_owner;
            set local search_path = sheetsync, pg_temp;
            \(Self.step)
            insert into schema_migration (number, name, checksum) values (\(number), 'later', '');
            commit;
            """)
    }
}

import TestSupport
import Testing

@Suite(.serialized) struct RoleTests {
    /// Makes logins with one role each, named after the database because roles belong to the whole server.
    private func logins(_ queue: TestQueue, _ roles: String...) async throws -> [String] {
        var logins: [String] = []
        for role in roles {
            let login = "\(role)_of_\(queue.database)"
            _ = try await queue.psql(
                "create role \(login) login; grant sheetsync_\(role.prefix { $0 != "0" }) to \(login)")
            logins.append(login)
        }
        return logins
    }

    private func expectDenied(_ queue: TestQueue, _ sql: String, as login: String) async {
        let error = await #expect(throws: PsqlFailure.self) { try await queue.psql(sql, as: login) }
        #expect(error?.description.contains("permission denied") == true, "\(login): \(sql)")
    }

    @Test func aProducerEnqueuesAndSeesItsOwnJobsAndNoMore() async throws {
        let queue = try await TestQueue.make()
        let logins = try await logins(queue, "producer", "producer0")
        let id = try await queue.psql("select sheetsync.enqueue('noop', '{\"secret\":1}')", as: logins[0])
        #expect(try await queue.psql("select id from sheetsync.jobs", as: logins[0]) == id)
        #expect(try await queue.psql("select count(*) from sheetsync.jobs", as: logins[1]) == "0")
        #expect(try await queue.psql("select sheetsync.cancel(\(id))", as: logins[1]) == "f")
        #expect(try await queue.psql("select sheetsync.retry(\(id))", as: logins[1]) == "f")
        #expect(try await queue.psql("select sheetsync.cancel(\(id))", as: logins[0]) == "t")
        #expect(try await queue.psql("select sheetsync.retry(\(id))", as: logins[1]) == "f")
        #expect(try await queue.psql("select sheetsync.retry(\(id))", as: logins[0]) == "t")
        for sql in [
            "select * from sheetsync.job", "select * from sheetsync.ready", "delete from sheetsync.job",
            "insert into sheetsync.job(kind) values ('noop')", "select * from sheetsync.claim(1, 1, '{}')",
            "select sheetsync.register_worker(1, 'x', '1', 1)", "select * from sheetsync.finish(1, '[]')",
            "select sheetsync.insert_job(1, 'noop', '{}', null, null, 5, '', 10)",
            "select * from sheetsync.heartbeat(1, 0, true, '', '', '{}', 60, null)",
            "select * from sheetsync.reclaim(0)", "select * from sheetsync.worker",
            "select * from sheetsync.report_failed_start",
            "select sheetsync.pause_queue()", "select sheetsync.resume_queue()",
            "select sheetsync.remove_finished(0, 9)", "select sheetsync.unblock_orphans()",
            "select * from sheetsync.target_lock",
            "select sheetsync.set_max_payload_bytes(9)",
            "select sheetsync.notify_finalized('{1}', '{completed}')",
            "create table sheetsync.mine(x int)", "drop view sheetsync.jobs",
            "select nextval('sheetsync.lease_number')",
        ] {
            let error = await #expect(throws: PsqlFailure.self) { try await queue.psql(sql, as: logins[0]) }
            let said = error?.description ?? ""
            #expect(said.contains("permission denied") || said.contains("must be owner"), "\(sql): \(said)")
        }
    }

    @Test func aKeyOfAnotherProducerIsNotTouched() async throws {
        let queue = try await TestQueue.make()
        let logins = try await logins(queue, "producer", "producer0")
        let enqueue = "select sheetsync.enqueue('noop', '{}', 'shared-key')"
        let first = try await queue.psql(enqueue, as: logins[0])
        let second = try await queue.psql(enqueue, as: logins[1])
        #expect(first != second)
        #expect(try await queue.psql(enqueue, as: logins[0]) == first)
    }

    @Test func anOperatorSeesAndSteersAllButDoesNotEnqueue() async throws {
        let queue = try await TestQueue.make()
        let logins = try await logins(queue, "producer", "operator")
        let id = try await queue.psql("select sheetsync.enqueue('noop', '{}')", as: logins[0])
        #expect(try await queue.psql("select id, state from sheetsync.jobs", as: logins[1]) == "\(id)|available")
        #expect(try await queue.psql("select count(*) from sheetsync.worker", as: logins[1]) == "0")
        #expect(try await queue.psql("select sheetsync.cancel(\(id))", as: logins[1]) == "t")
        #expect(try await queue.psql("select sheetsync.retry(\(id))", as: logins[1]) == "t")
        await expectDenied(queue, "select sheetsync.enqueue('noop', '{}')", as: logins[1])
        await expectDenied(queue, "select * from sheetsync.claim(1, 1, '{}')", as: logins[1])
        await expectDenied(queue, "update sheetsync.job set kind = 'x'", as: logins[1])
        #expect(try await queue.psql("select sheetsync.pause_queue()", as: logins[1]) == "t")
        #expect(try await queue.psql("select kind = '', by from sheetsync.pause", as: logins[1]) == "t|\(logins[1])")
        #expect(try await queue.psql("select sheetsync.resume_queue()", as: logins[1]) == "t")
    }

    @Test func aWorkerRunsJobsButTouchesNoTable() async throws {
        let queue = try await TestQueue.make()
        let logins = try await logins(queue, "producer", "worker")
        let id = try await queue.psql("select sheetsync.enqueue('noop', '{}')", as: logins[0])
        _ = try await queue.psql("select sheetsync.register_worker(7, 'w', '1', 5)", as: logins[1])
        #expect(try await queue.psql("select id from sheetsync.claim(7, 5, '{\"noop\":5}')", as: logins[1]) == id)
        await expectDenied(queue, "select * from sheetsync.job", as: logins[1])
        await expectDenied(queue, "delete from sheetsync.lease", as: logins[1])
        await expectDenied(queue, "select sheetsync.pause_queue()", as: logins[1])
        await expectDenied(queue, "select * from sheetsync.pick_jobs(5, '{}', '[]', '{}', '{}', '{}')", as: logins[1])
        await expectDenied(queue, "select sheetsync.enqueue('noop', '{}')", as: logins[1])
    }

    @Test func onlyMembersOfQueryEnqueueQueries() async throws {
        let queue = try await TestQueue.make()
        let logins = try await logins(queue, "producer", "query", "producer0")
        _ = try await queue.psql(
            "create role team_of_\(queue.database); grant sheetsync_query to team_of_\(queue.database); "
                + "grant team_of_\(queue.database) to \(logins[2])")
        for payload in [
            #"{"title": "x", "query": "select 1"}"#,
            #"{"title": "x", "sheets": [{"rows": []}, {"query": "select 1"}]}"#,
            #"{"title": "x", "sheets": {"query": "select 1"}}"#,
        ] {
            let alone = "select sheetsync.enqueue('write', '\(payload)') is not null"
            let jobs = #"[{"kind": "write", "payload": \#(payload)}]"#
            let many = "select created from sheetsync.enqueue_many('\(jobs)')"
            for sql in [alone, many] {
                let error = await #expect(throws: PsqlFailure.self) { try await queue.psql(sql, as: logins[0]) }
                #expect(
                    error?.description.contains("the login \(logins[0]) may not enqueue this payload") == true,
                    "\(error?.description ?? "")")
                #expect(error?.description.contains("grant sheetsync_query to \(logins[0])") == true)
                for login in [logins[1], logins[2], "postgres"] {
                    #expect(try await queue.psql(sql, as: login) == "t", "\(login)")
                }
            }
        }
        let said = try await queue.psql(
            #"select sheetsync.enqueue('write', '{"title": "query", "rows": [["query"]]}') is not null"#, as: logins[0]
        )
        #expect(said == "t")
    }

    @Test func strangersMayNothing() async throws {
        let queue = try await TestQueue.make()
        _ = try await queue.psql("create role stranger_of_\(queue.database) login")
        let stranger = "stranger_of_\(queue.database)"
        await expectDenied(queue, "select sheetsync.enqueue('noop', '{}')", as: stranger)
        await expectDenied(queue, "select * from sheetsync.jobs", as: stranger)
    }

    /// The view runs with the path of whoever reads; nobody may decide there what he may see.
    @Test func aFunctionInACallersPathShowsNobodyElsesJobs() async throws {
        let queue = try await TestQueue.make()
        let logins = try await logins(queue, "producer", "producer0")
        _ = try await queue.psql("grant create on database \(queue.database) to \(logins[1])")
        _ = try await queue.psql("select sheetsync.enqueue('noop', '{\"secret\":1}')", as: logins[0])
        let seen = try await queue.psql(
            """
            create schema trap;
            create function trap.pg_has_role(name, name, text) returns boolean language sql as 'select true';
            set search_path = trap, pg_catalog;
            select count(*) from sheetsync.jobs
            """, as: logins[1])
        #expect(seen == "0")
        // Whoever may execute a function runs it with a path of its own, or with names that are bound already.
        let loose = try await queue.psql(
            """
            select coalesce(string_agg(p.proname, ' '), 'none') from pg_proc p
            where p.pronamespace = 'sheetsync'::regnamespace and not p.prosecdef and p.prosqlbody is null
              and not exists (select from unnest(p.proconfig) c where c = 'search_path=sheetsync, pg_temp')
              and exists (select from pg_roles r where r.rolname in ('sheetsync_producer', 'sheetsync_query')
                          and has_function_privilege(r.oid, p.oid, 'execute'))
            """)
        #expect(loose == "none")
    }

    @Test func anOperatorRetriesAJobThatHeCouldNotEnqueue() async throws {
        let queue = try await TestQueue.make()
        let logins = try await logins(queue, "query", "operator")
        let id = try await queue.psql("select sheetsync.enqueue('write', '{\"query\": \"select 1\"}')", as: logins[0])
        _ = try await queue.psql("select sheetsync.cancel(\(id))", as: logins[0])
        #expect(try await queue.psql("select sheetsync.retry(\(id))", as: logins[1]) == "t")
        // Whoever has lost the role may not run its queries again.
        _ = try await queue.psql("select sheetsync.cancel(\(id))", as: logins[0])
        _ = try await queue.psql("revoke sheetsync_query from \(logins[0]); grant sheetsync_producer to \(logins[0])")
        let refused = await #expect(throws: PsqlFailure.self) {
            try await queue.psql("select sheetsync.retry(\(id))", as: logins[0])
        }
        #expect(refused?.description.contains("only members of sheetsync_query may") == true)
    }

    @Test func aHostileSearchPathChangesNothing() async throws {
        let queue = try await TestQueue.make()
        let login = try await logins(queue, "producer")[0]
        _ = try await queue.psql("create schema trap; grant all on schema trap to \(login)")
        let said = try await queue.psql(
            """
            set search_path = trap, pg_catalog;
            create table job(id bigint generated always as identity, kind text, payload jsonb);
            create table trap.ready(id bigint);
            create table kind(name text);
            create function pg_notify(text, text) returns void language plpgsql as $$ begin raise exception 'caught'; end $$;
            create function octet_length(text) returns int language sql as 'select 0';
            create function now() returns timestamptz language sql as $$ select 'infinity'::timestamptz $$;
            create temporary table kind(name text, max_payload_bytes bigint);
            insert into kind values ('noop', 0);
            select sheetsync.enqueue('noop', '{"a":1}') is not null;
            select count(*) from trap.job;
            select count(*) from trap.ready;
            select state from sheetsync.jobs;
            """, as: login)
        #expect(said == "t\n0\n0\navailable")
    }
}

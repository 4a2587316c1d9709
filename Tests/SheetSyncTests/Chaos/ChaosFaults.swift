import Foundation
import GoogleEmulator
import JSON
import Postgres
import PostgresServer
import Synchronization
import TestSupport

extension ChaosStage {
    /// Keeps so many daemons alive until all is over; until it is calm, each is killed, stopped or told to end now and then.
    func runWorkers(until isCalm: Flag, thenStayUntil isOver: Flag) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<plan.workers {
                group.addTask {
                    var random = plan.generator(100 + UInt64(number))
                    while !isOver.isSet { try await live(until: isCalm, thenStayUntil: isOver, &random) }
                }
            }
            try await group.waitForAll()
        }
    }

    /// One daemon's life.
    private func live(
        until isCalm: Flag, thenStayUntil isOver: Flag, _ random: inout SeededGenerator
    ) async throws {
        let (lifetime, fate) = (Int.random(in: 3_000...12_000, using: &random), Int.random(in: 0..<100, using: &random))
        _ = try await daemon.launch(["run"], within: plan.limit) { daemon in
            await pause(lifetime, until: isCalm)
            if isCalm.isSet {
                while !isOver.isSet { await pause(1_000, until: isOver) }
                return daemon.send(SIGTERM)
            }
            switch fate {
            case 0..<50: strike("kill -9") { daemon.send(SIGKILL) }
            case 50..<80:
                strike("stop past the lease") { daemon.send(SIGSTOP) }
                await pause((plan.lease + 1) * 1_000, until: isOver)
                daemon.send(SIGCONT)
                // It lives on for a while, so that what it does wrong would show.
                await pause(2_000, until: isOver)
                daemon.send(SIGTERM)
            case 80..<90: strike("SIGTERM") { daemon.send(SIGTERM) }
            default:
                strike("SIGTERM twice") { daemon.send(SIGTERM) }
                await pause(100, until: isOver)
                daemon.send(SIGTERM)
            }
        }
    }

    /// Ends backends and restarts the server.
    func troubleDatabase(until isOver: Flag) async throws {
        var random = plan.generator(200)
        while !isOver.isSet {
            await pause(Int.random(in: 500...3_000, using: &random), until: isOver)
            if isOver.isSet { return }
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<90:
                let ended = try await query(
                    """
                    select pg_terminate_backend(pid) from pg_stat_activity
                    where usename in ('chaos_worker', 'chaos_source') order by random() limit 2
                    """)
                strikes.add("backend ended", ended.count)
            default:
                try await server.restart(immediate: random.chance(50))
                strikes.add("server restarted")
            }
        }
    }

    /// Makes Google fail in all its ways: one call in ten, and tokens that end early.
    func troubleGoogle(until isOver: Flag) async throws {
        var random = plan.generator(300)
        let kinds: [(name: String, action: Fault.Action)] = [
            ("HTTP 500", .error(status: 500)), ("HTTP 503", .error(status: 503)), ("HTTP 429", .error(status: 429)),
            ("HTML", .html(status: 502)), ("garbage", .garbage), ("truncated", .truncate),
            ("reset before", .resetBefore), ("reset after", .resetAfter), ("delay", .delay(.milliseconds(700))),
        ]
        var faults = kinds.map { kind in
            (
                kind.name,
                emulator.addFault(
                    Fault(kind.action, count: nil, probability: 0.02, seed: random.next()))
            )
        }
        let late = Fault(.delay(.seconds(plan.lease + 2)), count: nil, probability: 0.003, seed: random.next())
        faults.append(("delay past the lease", emulator.addFault(late)))
        while !isOver.isSet {
            // Lists are late by less than the daemons are told, and by turns.
            emulator.delayLists(seconds: random.chance(50) ? 2 : 0)
            await pause(Int.random(in: 2_000...6_000, using: &random), until: isOver)
            if random.chance(30) {
                let failure: OAuthFailure = [.clockSkew, .invalidSignature, .internalFailure][
                    Int.random(in: 0..<3, using: &random)]
                faults.append(("token refused", emulator.addFault(Fault(failure.action, api: .oauth, count: 2))))
            }
            if plan.isLong, random.chance(10) { faults.append(("hang", emulator.addFault(Fault(.hang)))) }
            var revocation = AuthorityChange()
            revocation.revokesTokens = true
            emulator.apply(revocation)
            strikes.add("tokens revoked")
        }
        for (name, number) in faults { strikes.add(name, emulator.strikes(of: number)) }
        emulator.removeFaults()
        emulator.delayLists(seconds: 0)
    }

    /// Makes jobs that rest after a failure come back soon, as if the time had passed.
    func hurry(until isOver: Flag) async throws {
        while !isOver.isSet {
            try await query(
                "update sheetsync.ready set run_at = now() where state = 'scheduled' and run_at > now() + '1 second'")
            await pause(500, until: isOver)
        }
    }

    private func strike(_ name: String, _ body: () -> Void) {
        body()
        strikes.add(name)
    }

    private func pause(_ milliseconds: Int, until isOver: Flag) async {
        let end = ContinuousClock.now + .milliseconds(milliseconds)
        while ContinuousClock.now < end, !isOver.isSet { try? await Task.sleep(for: .milliseconds(20)) }
    }
}

extension ChaosStage {
    /// Waits until so many jobs have ended.
    func waitForEnds(of count: Int) async throws {
        try await wait(for: "\(count) jobs to end", within: plan.limit, seeing: { try await summary() }) {
            try await query(
                """
                select count(*)::int as n from sheetsync.jobs
                where id > \(plan.spreadsheets) and finalized_at is not null
                """)[0].int("n") >= count
        }
    }

    /// Waits until nobody need look any more for what a job has made that ended before its time.
    func waitForReconciliation() async throws {
        let unreconciled: Query = "select id from sheetsync.outcome where reconcile_at is not null order by id"
        try await wait(
            for: "the ended jobs to be reconciled", within: .seconds(180),
            seeing: { "\(try await query(unreconciled).map { try $0.int("id") })" }
        ) {
            try await query(unreconciled).isEmpty
        }
    }

    private func summary() async throws -> String {
        try await query(
            """
            select coalesce(string_agg(to_jsonb(j)::text, chr(10)), '') as text
            from (select id, kind, state, attempt, errors -> -1 as error, scheduled_at, now() from sheetsync.jobs
                  where finalized_at is null order by id limit 5) j
            """)[0].text("text")
    }

    /// Cancels a job some time after now, or after it began.
    func cancel(_ id: Int, after pause: Duration, isEarly: Bool) async throws {
        if !isEarly {
            try await wait(for: "job \(id) to begin", within: plan.limit, every: .milliseconds(50)) {
                try await query("select attempted_at is not null as begun from sheetsync.jobs where id = \(id)").first?
                    .bool("begun") == true
            }
        }
        try await Task.sleep(for: pause)
        try await query("select sheetsync.cancel(\(id))")
    }

    /// How the jobs ended.
    func endings(of jobs: [Int: ChaosJob]) async throws -> [ChaosReport.Ending] {
        try await query(
            """
            select id, state, result, coalesce(errors -> -1 ->> 'message', '') as error, to_char(attempted_at, 'YYYY-MM-DD HH24:MI:SS.US') as attempted_at,
                   to_char(finalized_at, 'YYYY-MM-DD HH24:MI:SS.US') as finalized_at
            from sheetsync.jobs order by id
            """
        ).compactMap { row in
            let id = try row.int("id")
            guard let job = jobs[id] else { return nil }
            return ChaosReport.Ending(
                job: job, id: id, state: try row.text("state"),
                result: try row.optionalText("result").map { try JSON(parsing: $0) },
                error: try row.text("error"),
                attemptedAt: try row.optionalText("attempted_at") ?? "",
                finalizedAt: try row.optionalText("finalized_at") ?? "")
        }
    }
}

/// Something that happens once and stays so.
final class Flag: Sendable {
    private let value = Atomic<Bool>(false)
    var isSet: Bool { value.load(ordering: .acquiring) }
    func set() { value.store(true, ordering: .releasing) }
}

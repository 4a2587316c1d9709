import JSON
import Postgres
import Synchronization
import TestSupport

@testable import JobQueue

/// What the random actors did to the jobs, as far as the database acknowledged it.
final class Ledger: Sendable {
    struct Entries {
        var ids: Set<Int> = []
        var byKey: [String: Int] = [:]
        var results: [Int: JSON] = [:]
        var failures: [Int: Int] = [:]
        var complaints: [String] = []
    }

    private let entries = Mutex(Entries())

    var all: Entries { entries.withLock { $0 } }

    func write(_ change: (inout Entries) -> Void) { entries.withLock { change(&$0) } }

    func complain(_ what: String) { write { $0.complaints.append(what) } }
}

/// A worker and producer that does random things, also such as a dying or deaf one would.
struct QueueActor {
    private let queue: TestQueue
    private let ledger: Ledger
    private let connection: Connection
    private let producer: Connection
    private var random: SeededGenerator
    private var statements: WorkerStatements
    private var held: [Job] = []
    /// Endings whose answer was lost, so that they are sent again, perhaps much later.
    private var echoes: [[JobOutcome]] = []
    /// Earlier lives that were taken for dead, and what they still believe they hold.
    private var zombies: [(statements: WorkerStatements, held: [Job])] = []

    init(_ queue: TestQueue, _ ledger: Ledger, seed: UInt64) async throws {
        self.queue = queue
        self.ledger = ledger
        random = SeededGenerator(seed: seed)
        connection = Connection(try queue.configuration(), label: "actor")
        producer = Connection(try queue.configuration(), label: "producer")
        statements = WorkerStatements(on: connection)
        try await enter()
    }

    private mutating func enter() async throws {
        statements = WorkerStatements(on: connection)
        held = []
        echoes = []
        try await statements.register(name: "actor", version: "0", concurrency: 8)
    }

    private func anyJob(_ random: inout SeededGenerator) -> Int? {
        ledger.all.ids.sorted().randomElement(using: &random)
    }

    /// Does one thing.
    mutating func step() async throws {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<22: try await enqueue()
        case 22..<45: try await claim()
        case 45..<72: try await finishSome()
        case 72..<82: try await steer("cancel")
        case 82..<88: try await steer("retry")
        case 88..<92: try await beat()
        case 92..<94: try await die()
        case 94..<95: try await leave()
        case 95..<97: try await haunt()
        case 97..<98: _ = try await statements.unblockOrphans()
        case 98..<99: try await limit()
        default: try await reclaim()
        }
    }

    private mutating func enqueue() async throws {
        let number = Int.random(in: 0..<60, using: &random)
        let key = random.chance(50) ? "key \(number)" : nil
        // The same key comes with the same kind and payload. Half of the jobs are for one of five spreadsheets.
        let isExport = number % 2 == 0
        let payload = isExport ? #"{"file":"s\#(number % 5)"}"# : "{}"
        let owner = "owner \(Int.random(in: 1...3, using: &random))"
        let attempts = Int.random(in: 1...4, using: &random)
        let delay = random.chance(20) ? 0.01 : 0
        let isKept = random.chance(90)
        if !isKept { try await producer.script("begin") }
        let id = try await producer.query(
            """
            select sheetsync.enqueue(\(isExport ? "write" : "noop"), \(payload)::jsonb, \(key),
                now() + make_interval(secs => \(delay)), \(Int.random(in: 3...5, using: &random)), \(owner),
                max_attempts => \(attempts)) as id
            """)[0].int("id")
        guard isKept else { return try await producer.script("rollback") }
        ledger.write { entries in
            entries.ids.insert(id)
            guard let key else { return }
            if entries.byKey.updateValue(id, forKey: key) ?? id != id {
                entries.complaints.append("\(key) gave two jobs, the second is \(id)")
            }
        }
    }

    private mutating func claim() async throws {
        let slots = Int.random(in: 1...6, using: &random)
        switch Int.random(in: 0..<10, using: &random) {
        case 0:
            try await connection.script(
                """
                begin; select * from sheetsync.claim(\(statements.epoch), \(slots), '{"noop":9,"write":9}'); rollback
                """)
        case 1:
            // The answer is lost: a heartbeat must give these jobs back.
            _ = try await statements.claim(slots)
        default:
            let claimed = try await statements.claim(slots)
            for job in claimed where held.contains(where: { $0.id == job.id }) {
                ledger.complain("job \(job.id) came although it was held")
            }
            for job in claimed where job.attempt > job.maxAttempts {
                ledger.complain("job \(job.id) came for attempt \(job.attempt) of \(job.maxAttempts)")
            }
            held += claimed
        }
    }

    private mutating func finishSome() async throws {
        let batch = held.filter { _ in random.chance(60) }
        let result: JSON = JSON(Int.random(in: 0..<1_000_000, using: &random))
        let endings = batch.map { job in
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<3: JobOutcome(job, .completed, result: result)
            case 3: JobOutcome(job, .discarded, error: ["code": "discarded"])
            case 4: JobOutcome(job, .cancelled)
            case 5: JobOutcome(job, .snooze, delay: .milliseconds(3))
            case 6: JobOutcome(job, .snooze)
            case 7: JobOutcome(job, .retry, error: ["code": "again"], delay: .milliseconds(3))
            default: JobOutcome(job, .retry, error: ["code": "again"])
            }
        }
        let states = try await write(endings, result, as: statements)
        for job in batch where states[job.id] == nil { ledger.complain("job \(job.id) was held but not ended") }
        held.removeAll { job in batch.contains { $0.leaseNumber == job.leaseNumber } }
        if random.chance(40) { echoes.append(endings) }
        if random.chance(40), let echo = echoes.randomElement(using: &random),
            !(try await statements.finish(echo, keepPayloads: false)).isEmpty
        {
            ledger.complain("an ending was written twice")
        }
    }

    private func write(_ endings: [JobOutcome], _ result: JSON, as statements: WorkerStatements) async throws -> [Int:
        String]
    {
        let states = try await statements.finish(endings, keepPayloads: false)
        ledger.write { entries in
            for ending in endings {
                guard let state = states[ending.id] else { continue }
                if ending.kind == .discarded || ending.kind == .retry { entries.failures[ending.id, default: 0] += 1 }
                if state == "completed", entries.results.updateValue(result, forKey: ending.id) != nil {
                    entries.complaints.append("job \(ending.id) was completed twice")
                }
            }
        }
        return states
    }

    private mutating func steer(_ how: String) async throws {
        guard let id = anyJob(&random) else { return }
        let end = random.chance(75) ? "commit" : "rollback"
        // The transaction stays open a little, so that others meet its locks.
        try await producer.script("begin; select sheetsync.\(how)(\(id))")
        if random.chance(30) { try await claim() }
        try await producer.script(end)
    }

    /// Changes how many jobs may run, also in a transaction that is open while somebody claims.
    private mutating func limit() async throws {
        let slots = random.chance(30) ? nil : Int.random(in: 0...9, using: &random)
        try await producer.script("begin")
        try await producer.query("select sheetsync.limit_login('postgres', \(slots))")
        if random.chance(50) { try await claim() }
        try await producer.script(random.chance(75) ? "commit" : "rollback")
    }

    private mutating func beat() async throws {
        // Whatever this worker does not know of has a claim's lost answer taken.
        try await queue.inspector.ageLeases(bySeconds: 3600)
        let sign = WorkerStatements.SignOfLife(inFlight: held.count, known: held.map(\.leaseNumber))
        guard let cancelled = try await statements.beat(sign)?.cancelled else {
            return ledger.complain("a living worker was taken for dead")
        }
        let jobs = held.filter { cancelled.contains($0.id) }
        _ = try await write(jobs.map { JobOutcome($0, .cancelled) }, nil, as: statements)
        held.removeAll { cancelled.contains($0.id) }
    }

    /// Falls silent, so that the others take its jobs, and begins again.
    private mutating func die() async throws {
        zombies.append((statements, held))
        try await queue.inspector.silence(epoch: statements.epoch)
        try await enter()
        try await reclaim()
    }

    private mutating func leave() async throws {
        try await statements.deregister()
        try await enter()
    }

    /// Lets an earlier life say what it still has to say.
    private mutating func haunt() async throws {
        guard let zombie = zombies.popLast() else { return }
        let before = try await zombie.statements.beat(.init(inFlight: 0))
        if before != nil { return ledger.complain("a dead worker was let back in") }
        do throws(PostgresError) {
            let claimed = try await zombie.statements.claim(3)
            if !claimed.isEmpty { ledger.complain("a dead worker claimed \(claimed.count) jobs") }
        } catch {
            guard error.sqlState == "55000" else { throw error }
        }
        let late = zombie.held.map { JobOutcome($0, .completed, result: "late") }
        if !(try await zombie.statements.finish(late, keepPayloads: false)).isEmpty {
            ledger.complain("a dead worker's ending was written")
        }
    }

    private func reclaim() async throws {
        let taken = try await statements.reclaim(silentFor: .seconds(1800))
        ledger.write { entries in for id in taken.keys { entries.failures[id, default: 0] += 1 } }
    }

    /// Runs what is left to its end; true when this one sees nothing more to do.
    mutating func drain() async throws -> Bool {
        try await reclaim()
        _ = try await statements.unblockOrphans()
        try await producer.query("select sheetsync.limit_login('postgres')")
        let result: JSON = "drained"
        try await beat()
        let claimed = try await statements.claim(50)
        let batch = held + claimed
        held = []
        _ = try await write(batch.map { JobOutcome($0, .completed, result: result) }, result, as: statements)
        return batch.isEmpty
    }
}

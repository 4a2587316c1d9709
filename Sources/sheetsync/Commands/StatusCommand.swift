import ArgumentParser
import JSON
import JobQueue
import Postgres

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show whether the queue does its work, and if not, why.",
        discussion: "Exit codes: 0 OK, 1 DEGRADED, 2 DOWN, 3 the schema is missing or does not fit.")

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Show it again every two seconds.")
    var watch = false

    func run() async throws {
        try await ending {
            let reader = try await SettingsReader()
            let settings = try DatabaseSettings(reader)
            let silenceLimit = try reader.leaseTime() / .seconds(1)
            let connection = Connection(settings.connection, label: "status", statementTimeout: .seconds(2))
            while true {
                let (verdict, status, report) = await look(settings.schema, connection, silenceLimit)
                if watch { Console.clear() }
                if json {
                    Console.print(StatusCommand.json(verdict, report).description)
                } else {
                    show(verdict, report)
                }
                guard watch else {
                    if status != 0 { throw ExitCode(status) }
                    return
                }
                try await Task.sleep(for: .seconds(2))
            }
        }
    }

    /// Reads the report; a database that does not answer is a finding too.
    private func look(
        _ schema: Schema, _ connection: Connection, _ silenceLimit: Double
    ) async -> (Verdict, status: Int32, QueueReport?) {
        do {
            _ = try await schema.requireFit(on: connection)
            let report = try await QueueReport.read(schema, on: connection)
            let verdict = Verdict(report, silenceLimit: silenceLimit)
            return (verdict, verdict.level == .ok ? 0 : verdict.level == .degraded ? 1 : 2, report)
        } catch {
            let failure = CommandFailure(error)
            // Who may not look, or asks wrongly, knows nothing about the queue yet.
            let level: Verdict.Level = failure.status == .degraded ? .degraded : .down
            return (Verdict(level, failure.message), failure.status.rawValue, nil)
        }
    }

    private func show(_ verdict: Verdict, _ report: QueueReport?) {
        let style: Style = verdict.level == .ok ? .green : verdict.level == .degraded ? .yellow : .red
        Console.print("\(style(verdict.level.rawValue)): \(verdict.reason)")
        guard let report else { return }
        func count(_ number: Int) -> String {
            number > QueueReport.countLimit ? "\(QueueReport.countLimit)+" : "\(number)"
        }
        var queue = Table(
            "AVAILABLE", "OLDEST", "RUNNING", "SCHEDULED", "RETRYABLE", "NEXT DUE", "DONE/MIN", "DISCARDED/H")
        queue.add(
            count(report.available), report.oldestAvailable.map { spoken(seconds: max($0, 0)) } ?? "-",
            "\(report.running)/\(report.capacity)", count(report.scheduled), count(report.retryable),
            report.nextDue.map { spoken(seconds: max($0, 0)) } ?? "-", "\(report.completedLastMinute)",
            "\(report.discardedLastHour)")
        Console.print("")
        queue.show()
        if !report.workers.isEmpty {
            var workers = Table("WORKER", "VERSION", "LAST BEAT", "JOBS", "LAST ERROR")
            for worker in report.workers {
                workers.add(
                    worker.name, worker.version, spoken(seconds: worker.silence) + " ago",
                    "\(worker.inFlight)/\(worker.concurrency)", worker.lastError ?? "-")
            }
            Console.print("")
            workers.show()
        }
        if !report.failures.isEmpty {
            var failures = Table("FAILED ATTEMPTS, LAST HOUR", "COUNT", "E.G. JOB", "MESSAGE")
            for failure in report.failures {
                failures.add(failure.code, "\(failure.count)", "\(failure.example)", failure.message)
            }
            Console.print("")
            failures.show()
        }
    }

    private static func json(_ verdict: Verdict, _ report: QueueReport?) -> JSON {
        var members = JSONObject([
            .init(name: "schema", value: 1), .init(name: "verdict", value: .string(verdict.level.rawValue)),
            .init(name: "reason", value: .string(verdict.reason)),
        ])
        if let report {
            members["queue"] = [
                "available": JSON(report.available), "oldest_available_seconds": seconds(report.oldestAvailable),
                "running": JSON(report.running), "capacity": JSON(report.capacity),
                "scheduled": JSON(report.scheduled), "retryable": JSON(report.retryable),
                "next_due_seconds": seconds(report.nextDue), "completed_last_minute": JSON(report.completedLastMinute),
                "discarded_last_hour": JSON(report.discardedLastHour),
            ]
            members["workers"] = .array(
                report.workers.map { worker in
                    [
                        "name": .string(worker.name), "version": .string(worker.version),
                        "silent_seconds": seconds(worker.silence), "in_flight": JSON(worker.inFlight),
                        "concurrency": JSON(worker.concurrency), "last_error": JSON(worker.lastError),
                    ]
                })
            members["failures"] = .array(
                report.failures.map { failure in
                    [
                        "code": .string(failure.code), "count": JSON(failure.count),
                        "example_job": JSON(failure.example),
                        "message": .string(failure.message),
                    ]
                })
        }
        return .object(members)
    }

    private static func seconds(_ value: Double?) -> JSON {
        value.map { JSON((max($0, 0) * 1000).rounded() / 1000) } ?? .null
    }
}

extension QueueReport {
    /// How many jobs all workers together may run.
    fileprivate var capacity: Int { workers.reduce(0) { $0 + $1.concurrency } }
}

import Foundation
import JSON
import JobQueue
import Postgres
import TestSupport
import Testing

/// What an API server does and sees, with no right beyond `sheetsync_producer`.
@Suite struct APIServerTests {
    @Test func aJobIsDoneOnceItsTransactionIsCommitted() async throws {
        try await Stage.with { stage in
            let heard = Heard()
            let own = try ConnectionConfiguration(url: stage.url(.producer))
            let listening = Task {
                await NotificationListener(own, channels: ["sheetsync_finalized"]).run { event in
                    switch event {
                    case .listening: heard.add("listening")
                    case .notification(let notification): heard.add(notification.payload)
                    case .lost: break
                    }
                }
            }
            try await wait(for: "the producer to listen") { heard.all == ["listening"] }

            // The platform gives the URL in SQLAlchemy's form and the key as text.
            let key = try String(contentsOfFile: stage.key, encoding: .utf8)
            let daemon = stage.daemon.without("GOOGLE_SHEETS_CREDENTIALS_PATH").with([
                "DATABASE_URL": stage.url(.worker, scheme: "postgresql+asyncpg", query: "?ssl=prefer"),
                "GOOGLE_SHEETS_CREDENTIALS": key,
            ])
            try await daemon.withDaemon { _ in
                let payload = export("Committed", "it's a text").description.replacing("'", with: "''")
                _ = try await stage.queue.psql(
                    "begin; select sheetsync.enqueue('export', '{\"title\": \"Rolled back\", \"rows\": []}'); rollback;",
                    as: stage.name(.producer))
                let printed = try await stage.queue.psql(
                    "begin; select sheetsync.enqueue('export', '\(payload)', owner => 'team'); commit;",
                    as: stage.name(.producer))
                let id = try #require(Int(printed))
                let job = try await stage.ended(id)

                #expect(job.state == "completed", "\(job.json)")
                #expect(stage.spreadsheets == ["Committed"])
                #expect(stage.values(job) == [["a", "b"], [1, "it's a text"]])
                #expect(
                    try await stage.queue.psql(
                        "select count(*), min(state), min(result->>'spreadsheet_url'), min(owner) from sheetsync.jobs",
                        as: stage.name(.producer))
                        == "1|completed|\(job.result?["spreadsheet_url"]?.string ?? "")|team")
                try await wait(for: "the news of the job", seeing: { "\(heard.all)" }) { heard.all.count == 2 }
                #expect(try JSON(parsing: #require(heard.all.last)) == ["id": JSON(id), "state": "completed"])

                // The operator's commands work under a login that can do no more.
                let status = try await stage.program(.operator)("status").expect(0)
                #expect(status.output.hasPrefix("OK: 1 worker alive, nothing waits\n"), "\(status)")
                let list = try await stage.program(.operator)("jobs", "list").expect(0)
                #expect(list.output.contains("completed"), "\(list)")
            }
            listening.cancel()
            await listening.value
        }
    }

    @Test func theDaemonNeedsTheRoleOfAWorker() async throws {
        try await Stage.with { stage in
            let ended = try await stage.daemon.with(["DATABASE_URL": stage.url(.producer)])("run")
            ended.expectRefusal(1, "permission denied", "sheetsync_worker")
        }
    }

    @Test func aProducerListsItsOwnJobs() async throws {
        try await Stage.with { stage in
            _ = try await stage.queue.jobs.enqueue(kind: "noop", payload: [:])
            let own = try await stage.enqueue("noop", [:])
            let list = try await stage.program(.producer)("jobs", "list", "--json").expect(0)
            let ids = try JSON(parsing: list.output)["jobs"]?.array?.compactMap { $0["id"]?.int }
            #expect(ids == [own], "\(list)")
        }
    }

    @Test func aLoginWithoutTheRightIsToldWhichRoleItLacks() async throws {
        try await Stage.with { stage in
            let looking = try await stage.program(.producer)("status").expect(1)
            for word in ["DEGRADED: permission denied", "sheetsync_operator"] {
                #expect(looking.output.contains(word), "lacks \(word): \(looking)")
            }
            let enqueuing = try await stage.program(.operator)("enqueue", "noop")
            enqueuing.expectRefusal(1, "permission denied", "sheetsync_producer")
        }
    }
}

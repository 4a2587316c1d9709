import Export
import JSON
import JobQueue
import TestSupport
import Testing

@Suite struct SmallPayloadTests {
    @Test func aFolderHasAPath() throws {
        #expect(try FolderPayload(["path": "Team/2026"]).path.names == ["Team", "2026"])
        #expect(try FolderPayload(["path": ["Team/2026"]]).path.names == ["Team/2026"])
        #expect(try FolderPayload(["path": "Jahr \u{1F4C5}"]).path.description == "Jahr \u{1F4C5}")
    }

    static let refusedFolders: [(JSON, String)] = [
        ([:], "path"), (["path": nil], "path"), (["folder": "a", "path": "a"], "folder"), (["path": "a/"], "path"),
        (["path": .string(String(repeating: "x", count: 1_001))], "path"),
        (["path": .array([JSON](repeating: "x", count: 101))], "path"), ("a", ""),
    ]
    @Test(arguments: refusedFolders)
    func refusesFolders(payload: JSON, path: String) throws {
        let error = try #require(throws: PayloadError.self) { try FolderPayload(payload) }
        #expect(error.path == path)
    }

    @Test func aNoopMaySleep() throws {
        #expect(try NoopPayload([:]).sleepMilliseconds == 0)
        #expect(try NoopPayload(["sleep_ms": nil]).sleepMilliseconds == 0)
        #expect(try NoopPayload(["sleep_ms": 60_000]).sleepMilliseconds == 60_000)
    }

    /// It keeps a slot from others for a minute.
    @Test func onlyAnOperatorLetsANoopSleep() async throws {
        let queue = try await TestQueue.make(Migration.sheetsync)
        let login = "producer_of_\(queue.database)"
        _ = try await queue.psql("create role \(login) login; grant sheetsync_producer to \(login)")
        let one = "select sheetsync.enqueue('noop', '{\"sleep_ms\": 1}')"
        let refused = [
            one, #"select sheetsync.enqueue('noop', '{"sleep_ms": 0.5}')"#,
            #"select * from sheetsync.enqueue_many('[{"kind": "noop", "payload": {"sleep_ms": 60000}}]')"#,
        ]
        for sql in refused {
            let error = await #expect(throws: PsqlFailure.self, "\(sql)") { try await queue.psql(sql, as: login) }
            #expect(
                error?.description.contains(
                    "the login \(login) may not enqueue this payload: only members of sheetsync_operator may") == true,
                "\(error as Any)")
        }
        #expect(try await queue.psql("select count(*) from sheetsync.jobs") == "0")
        for payload in ["{}", #"{"sleep_ms": 0}"#, #"{"sleep_ms": null}"#] {
            _ = try await queue.psql("select sheetsync.enqueue('noop', '\(payload)')", as: login)
        }
        _ = try await queue.psql("grant sheetsync_operator to \(login)")
        let id = try await queue.psql(one, as: login)
        _ = try await queue.psql("revoke sheetsync_operator from \(login)")
        #expect(try await queue.psql("select sheetsync.cancel(\(id))", as: login) == "t")
        let error = await #expect(throws: PsqlFailure.self) {
            try await queue.psql("select sheetsync.retry(\(id))", as: login)
        }
        #expect(error?.description.contains("only members of sheetsync_operator may") == true, "\(error as Any)")
        #expect(try await queue.psql("select sheetsync.retry(\(id))") == "t", "an operator may")
    }

    static let refusedNoops: [(JSON, String)] = [
        (["sleep_ms": -1], "sleep_ms"), (["sleep_ms": 60_001], "sleep_ms"), (["sleep_ms": "1"], "sleep_ms"),
        (["sleep_ms": 0.5], "sleep_ms"), (["sleep": 1], "sleep"), ([], ""), (nil, ""),
    ]
    @Test(arguments: refusedNoops)
    func refusesNoops(payload: JSON, path: String) throws {
        let error = try #require(throws: PayloadError.self) { try NoopPayload(payload) }
        #expect(error.path == path)
    }
}

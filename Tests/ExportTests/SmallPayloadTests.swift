import Export
import JSON
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

import Foundation
import GoogleEmulator
import JSON
import Testing

@Suite(.timeLimit(.minutes(2))) struct FaultTests {
    @Test func answersInTheFormOfEachAPI() async throws {
        try await Client.run { client in
            client.emulator.addFault(.init(.error(status: 403, reason: "userRateLimitExceeded"), api: .drive))
            let drive = try await client.get("/drive/v3/files")
            #expect(drive.status == 403)
            #expect(drive.json["error"]?["errors"]?[0]?["reason"] == "userRateLimitExceeded")
            #expect(drive.json["error"]?["errors"]?[0]?["domain"] == "usageLimits")
            client.emulator.addFault(.init(.error(status: 429), api: .sheets, count: 2))
            for _ in 0..<2 {
                let sheets = try await client.get("/v4/spreadsheets/x")
                #expect(sheets.status == 429)
                #expect(sheets.json["error"]?["status"] == "RESOURCE_EXHAUSTED")
                #expect(
                    sheets.json["error"]?["details"]?[0]?["metadata"]?["quota_limit"] == "WriteRequestsPerMinutePerUser"
                )
            }
            let after = try await client.get("/v4/spreadsheets/x")
            #expect(after.status == 404)
            client.emulator.addFault(.init(.error(status: 500), api: .oauth))
            let oauth = try await client.form(["grant_type": "refresh_token"])
            #expect(oauth.json == ["error": "internal_failure", "error_description": "Backend Error"])
        }
    }

    @Test func bodiesAreEditedWhereTheyFit() async throws {
        try await Client.run { client in
            let request: JSON = [
                "api": "drive", "body": "\"name\":\"b\"", "action": "edit_request", "pattern": "\"name\":\"[a-z]\"",
                "with": "\"name\":\"edited\"",
            ]
            #expect(try await client.call("POST", "/emulator/faults", [:], request).status == 200)
            for (name, seen) in [("a", "a"), ("b", "edited"), ("b", "b")] {
                let file = try await client.call("POST", "/drive/v3/files", [:], ["name": .string(name)])
                #expect(file.json["name"]?.string == seen, "\(file.text)")
            }
            let answer: JSON = ["api": "drive", "action": "edit_answer", "pattern": "drive#file", "with": "other"]
            #expect(try await client.call("POST", "/emulator/faults", [:], answer).status == 200)
            let file = try await client.call("POST", "/drive/v3/files", [:], ["name": "c"])
            #expect(file.json["kind"] == "other" && file.json["name"] == "c", "\(file.text)")
            let large: JSON = ["api": "drive", "larger_than": 1_000, "action": "error", "status": 413]
            #expect(try await client.call("POST", "/emulator/faults", [:], large).status == 200)
            let text = String(repeating: "x", count: 1_000)
            #expect(try await client.call("POST", "/drive/v3/files", [:], ["name": "c"]).status == 200)
            #expect(try await client.call("POST", "/drive/v3/files", [:], ["description": .string(text)]).status == 413)
            for wrong in [["action": "edit_answer"], ["action": "hang", "body": "("]] as [JSON] {
                #expect(try await client.call("POST", "/emulator/faults", [:], wrong).status == 400)
            }
        }
    }

    @Test func compressedBodiesAreTakenUnlessAFaultRefusesThem() async throws {
        try await Client.run { client in
            // `{}`, packed by gzip.
            let packed: [UInt8] = [
                0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 0xAB, 0xAE, 5, 0, 0x43, 0xBF, 0xA6, 0xA3, 2, 0, 0, 0,
            ]
            func create() async throws -> Client.Answer {
                try await client.send(
                    "POST", "/v4/spreadsheets", packed, type: "application/json", headers: ["Content-Encoding": "gzip"])
            }
            #expect(try await create().status == 200)
            let fault: JSON = ["api": "sheets", "compressed": true, "action": "error", "status": 415]
            let answer = try await client.call("POST", "/emulator/faults", [:], fault)
            #expect(answer.json["id"]?.int ?? 0 > 0, "\(answer.text)")
            #expect(try await client.call("POST", "/v4/spreadsheets", [:], [:]).status == 200)
            #expect(try await create().status == 415)
            #expect(try await create().status == 200, "it strikes once")
        }
    }

    @Test func mangledAnswersAreStillCarriedOut() async throws {
        try await Client.run { client in
            func names() async throws -> [String] {
                let answer = try await client.get("/drive/v3/files", ["orderBy": "name", "fields": "files/name"])
                return answer.json["files"]?.array?.compactMap { $0["name"]?.string } ?? []
            }
            func create(_ name: String) async throws -> Client.Answer {
                try await client.reconnected.call("POST", "/drive/v3/files", [:], ["name": .string(name)])
            }
            let post = ["api": "drive", "method": "POST"] as JSON
            func fault(_ action: String) async throws {
                var object = post.object ?? JSONObject()
                object["action"] = .string(action)
                let answer = try await client.call("POST", "/emulator/faults", [:], .object(object))
                #expect(answer.json["id"]?.int ?? 0 > 0, "\(answer.text)")
            }
            try await fault("html")
            let html = try await create("1 html")
            #expect(html.status == 502)
            #expect(html.headers["content-type"]?.hasPrefix("text/html") == true)
            try await fault("garbage")
            let garbage = try await create("2 garbage")
            #expect(garbage.status == 200)
            #expect(garbage.json == .null)
            try await fault("truncate")
            await #expect(throws: (any Error).self) { try await create("3 truncated") }
            try await fault("reset_before")
            await #expect(throws: (any Error).self) { try await create("4 reset before") }
            try await fault("reset_after")
            await #expect(throws: (any Error).self) { try await create("5 reset after") }
            let found = try await names()
            #expect(found == ["2 garbage", "3 truncated", "5 reset after"])
            let rules = try await client.get("/emulator/faults")
            #expect(rules.json["faults"]?.array?.map { $0["strikes"]?.int } == [1, 1, 1, 1, 1])
        }
    }

    @Test func delaysAndHangs() async throws {
        try await Client.run { client in
            client.emulator.addFault(.init(.delay(.milliseconds(300)), path: .contains("about")))
            let start = ContinuousClock.now
            let late = try await client.get("/drive/v3/about", ["fields": "user"])
            #expect(late.status == 200)
            #expect(ContinuousClock.now - start >= .milliseconds(300))
            let delay = client.emulator.addFault(.init(.delay(.seconds(3600)), path: .contains("about")))
            let delayed = Task { try await client.get("/drive/v3/about", ["fields": "user"]) }
            try await waitUntil { client.emulator.strikes(of: delay) == 1 }
            #expect(client.emulator.journal.total == 2, "it is not carried out yet")
            client.emulator.removeFault(delay)
            #expect(try await delayed.value.status == 200, "goes on when the fault is lifted")
            client.emulator.addFault(.init(.hang, path: .prefix("/drive/v3/about")))
            let hanging = Task { try await client.get("/drive/v3/about", ["fields": "user"]) }
            try await waitUntil {
                client.emulator.journal.entries.last?.isFault == true && client.emulator.journal.total == 4
            }
            hanging.cancel()
            #expect(client.emulator.journal.entries.last?.status == nil)
        }
    }

    @Test func theSameSeedStrikesTheSameRequests() async throws {
        try await Client.run { client in
            func statuses() async throws -> [Int] {
                client.emulator.removeFaults()
                client.emulator.addFault(
                    .init(.error(status: 503), api: .drive, count: nil, probability: 0.5, seed: 42))
                var statuses: [Int] = []
                for _ in 0..<20 { statuses.append(try await client.get("/drive/v3/files").status) }
                return statuses
            }
            let first = try await statuses()
            let second = try await statuses()
            #expect(first == second)
            #expect(Set(first) == [200, 503])
        }
    }

    @Test func controlsSayWhatTheyDoNotUnderstand() async throws {
        try await Client.run { client in
            for body: JSON in [
                ["action": "explode"], ["action": "html", "apy": "drive"], ["action": "html", "api": "gmail"],
                ["action": "delay"], ["action": "html", "count": 0], ["action": "html", "probability": 2], [],
            ] {
                let answer = try await client.call("POST", "/emulator/faults", [:], body)
                #expect(answer.status == 400)
                #expect(answer.json["error"]?.string?.isEmpty == false)
            }
            let unknown = try await client.get("/emulator/nothing")
            #expect(unknown.status == 400)
            let tokens = try await client.call("POST", "/emulator/tokens", [:], ["revok": true])
            #expect(tokens.status == 400)
        }
    }

    @Test func keepsAJournal() async throws {
        try await Client.run { client in
            _ = try await client.makeSpreadsheet()
            _ = try await client.get("/drive/v3/nowhere")
            let journal = try await client.get("/emulator/requests")
            #expect(journal.json["counts"] == ["oauth.token": 1, "drive.files.create": 1, "drive": 1])
            #expect(journal.json["total"] == 3)
            let last = journal.json["requests"]?[2]
            #expect(last?["status"] == 404)
            #expect(last?["path"] == "/drive/v3/nowhere")
            #expect(journal.json["requests"]?[1]?["body_bytes"]?.int ?? 0 > 10)
            #expect(client.emulator.journal.counts["drive.files.create"] == 1)
            // What a fault strikes still counts.
            client.emulator.addFault(.init(.error(status: 503), api: .drive))
            _ = try await client.call("POST", "/drive/v3/files", [:], ["name": "x"])
            #expect(client.emulator.journal.counts["drive.files.create"] == 2)
            _ = try await client.call("DELETE", "/emulator/requests")
            #expect(client.emulator.journal.total == 0)
        }
    }

    @Test func reportsABusyPortInsteadOfHanging() async throws {
        try await Client.run { client in
            let port = try await client.emulator.port
            let second = try GoogleEmulator(.init(port: port))
            let running = Task { try await second.run() }
            await #expect(throws: EmulatorError.self) { try await second.port }
            await #expect(throws: EmulatorError.self) { try await running.value }
        }
    }

    @Test func saysThatItHasStopped() async throws {
        let emulator = try GoogleEmulator()
        let running = Task { try await emulator.run() }
        _ = try await emulator.port
        running.cancel()
        _ = await running.result
        await #expect(throws: EmulatorError.self) { try await emulator.port }
        let waiting = Task { try await GoogleEmulator().port }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
    }

    @Test func refusesADirectoryItCannotUse() async throws {
        let emulator = try GoogleEmulator(.init(directory: "/nowhere/at/all"))
        let running = Task { try await emulator.run() }
        let error = await #expect(throws: EmulatorError.self) { try await emulator.port }
        #expect(error?.code == .credentialsFailed)
        await #expect(throws: EmulatorError.self) { try await running.value }
    }

    /// Waits for a condition, at most ten seconds.
    private func waitUntil(_ condition: () -> Bool) async throws {
        for _ in 0..<500 where !condition() { try await Task.sleep(for: .milliseconds(20)) }
        #expect(condition())
    }
}

import Foundation
import GoogleEmulator
import JSON
import Subprocess
import TestSupport
import Testing

/// What happens around the methods: batches, encodings, quotas, HTTPS.
@Suite(.timeLimit(.minutes(2))) struct WireTests {
    @Test func answersABatchPartByPart() async throws {
        try await Client.run { client in
            let body = """
                --cut
                Content-Type: application/http
                Content-ID: <one + 1>

                GET /drive/v3/files/root?fields=name HTTP/1.1


                --cut
                Content-Type: application/http
                Content-ID: two

                POST https://www.googleapis.com/drive/v3/files?fields=name HTTP/1.1
                Content-Type: application/json

                {"name": "made"}
                --cut
                Content-Type: application/http

                GET /drive/v3/files/nobody HTTP/1.1

                --cut--
                """.replacing("\n", with: "\r\n")
            let answer = try await client.send(
                "POST", "/batch/drive/v3", Array(body.utf8), type: "multipart/mixed; boundary=\"cut\"")
            #expect(answer.status == 200)
            #expect(answer.headers["content-type"]?.hasPrefix("multipart/mixed; boundary=batch_") == true)
            #expect(answer.text.contains("Content-ID: <response-one + 1>"))
            #expect(answer.text.contains("Content-ID: response-two"))
            #expect(answer.text.contains(#"{"name":"My Drive"}"#))
            #expect(answer.text.contains(#"{"name":"made"}"#))
            #expect(answer.text.contains("HTTP/1.1 404 Not Found"))
            // Each call counts, the batch itself does not.
            let calls = client.emulator.journal.entries.suffix(3).map(\.method)
            #expect(calls == ["drive.files.get", "drive.files.create", "drive.files.get"])
            let broken = try await client.send("POST", "/batch", [1, 2], type: "multipart/mixed; boundary=cut")
            #expect(broken.status == 400)
        }
    }

    @Test func takesAnOverriddenMethod() async throws {
        try await Client.run { client in
            _ = try await client.makeFolder("found")
            let answer = try await client.send(
                "POST", "/drive/v3/files", Array("q=name%3D%27found%27&fields=files/name".utf8),
                type: "application/x-www-form-urlencoded", headers: ["X-HTTP-Method-Override": "GET"])
            #expect(answer.json == ["files": [["name": "found"]]])
            let id = try await client.makeFolder("renamed")
            let patch = try await client.send(
                "POST", "/drive/v3/files/\(id)?fields=name", Array(#"{"name":"new"}"#.utf8), type: "application/json",
                headers: ["X-HTTP-Method-Override": "PATCH"])
            #expect(patch.json == ["name": "new"])
        }
    }

    @Test func packsAndUnpacksBodies() async throws {
        try await Client.run { client in
            // Of `{"name":"packed"}`, made by gzip.
            let packed = try #require(
                Data(base64Encoded: "H4sIAAAAAAACA6tWykvMTVWyUipITM5OTVGqBQD8q+rpEQAAAA=="))
            let answer = try await client.send(
                "POST", "/drive/v3/files?fields=name", Array(packed), type: "application/json",
                headers: ["Content-Encoding": "gzip"])
            #expect(answer.json == ["name": "packed"], "\(answer.text)")
            let broken = try await client.send(
                "POST", "/drive/v3/files", [1, 2, 3], type: "application/json", headers: ["Content-Encoding": "gzip"])
            #expect(broken.status == 400)
            let asked = ["Accept-Encoding": "gzip", "User-Agent": "test (gzip)"]
            let file = try await client.send("GET", "/drive/v3/files/root?fields=*", headers: asked)
            #expect(file.headers["content-encoding"] == "gzip")
            #expect(file.json["name"]?.string == "My Drive")
            let plain = try await client.send(
                "GET", "/drive/v3/files/root?fields=*", headers: ["Accept-Encoding": "gzip", "User-Agent": "test"])
            #expect(plain.headers["content-encoding"] == nil)
        }
    }

    @Test func takesTheProtocolBuffersNamesOfFields() async throws {
        try await Client.run { client in
            let id = try await client.makeSpreadsheet()
            let request: JSON = [
                "update_sheet_properties": ["properties": ["sheet_id": 0, "title": "snake"], "fields": "title"]
            ]
            let answer = try await client.batch(id, [request])
            #expect(answer.status == 200, "\(answer.text)")
        }
    }

    @Test func countsQuotas() async throws {
        var limits = QuotaLimits()
        limits.windowSeconds = 3600
        limits.sheetsReadsPerUser = 2
        limits.driveQueriesPerProject = 3
        try await Client.run(.init(quotas: limits)) { client in
            let id = try await client.makeSpreadsheet()
            for _ in 0..<2 { #expect(try await client.get("/v4/spreadsheets/\(id)").status == 200) }
            let answer = try await client.get("/v4/spreadsheets/\(id)")
            #expect(answer.status == 429)
            let error = answer.json["error"]
            #expect(error?["status"]?.string == "RESOURCE_EXHAUSTED")
            #expect(answer.message?.contains("limit 'Read requests per minute per user' of service") == true)
            let metadata = error?["details"]?[0]?["metadata"]
            #expect(metadata?["quota_limit"]?.string == "ReadRequestsPerMinutePerUser")
            #expect(metadata?["quota_limit_value"]?.string == "2")
            #expect(metadata?["window_start_time"]?.string?.hasSuffix(":00:00.000Z") == true)
            let clear: JSON = ["updateCells": ["range": ["sheetId": 0], "fields": "*"]]
            #expect(try await client.batch(id, [clear]).status == 200)
            for _ in 0..<2 { #expect(try await client.get("/drive/v3/files").status == 200) }
            let drive = try await client.get("/drive/v3/files")
            #expect(drive.status == 403)
            #expect(drive.json["error"]?["errors"]?[0]?["reason"]?.string == "rateLimitExceeded")
            #expect(drive.json["error"]?["errors"]?[0]?["domain"]?.string == "usageLimits")
            let use = try await client.get("/emulator/quotas")
            #expect(use.json["use"]?["project"]?["sheets_reads"]?.int == 2)
            #expect(use.json["use"]?["project"]?["sheets_writes"]?.int == 1)
            let raised = try await client.call(
                "POST", "/emulator/quotas", [:], ["sheets_reads_per_user": nil, "window_seconds": 60])
            #expect(raised.json["limits"]?["window_seconds"]?.int == 60)
            #expect(try await client.get("/v4/spreadsheets/\(id)").status == 200)
            #expect(try await client.call("POST", "/emulator/quotas", [:], ["reads": 1]).status == 400)
        }
    }

    @Test func playsTheTokenEndpointsErrorsOnDemand() async throws {
        try await Client.run(authorized: false) { client in
            for failure in OAuthFailure.allCases {
                let added = try await client.call("POST", "/emulator/faults", [:], ["oauth": .string(failure.rawValue)])
                #expect(added.status == 200)
                let answer = try await client.grant(Assertion(keyFile: client.keyFile))
                guard case .error(let status, let reason, let message) = failure.action else { continue }
                #expect(answer.status == status)
                #expect(answer.json["error"]?.string == reason)
                #expect(answer.json["error_description"]?.string == message)
            }
            #expect(try await client.call("POST", "/emulator/faults", [:], ["oauth": "sunshine"]).status == 400)
        }
    }

    @Test(.enabled("needs curl with HTTP/2") { try await output(of: "curl", ["--version"]).output.contains("HTTP2") })
    func speaksHTTPSWithHTTP2() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path
        let emulator = try GoogleEmulator(.init(directory: path, usesTLS: true))
        let running = Task { try await emulator.run() }
        defer { running.cancel() }
        let baseURL = try await emulator.baseURL
        #expect(baseURL.hasPrefix("https://127.0.0.1:"))
        let key = try Client.read(path + "/service-account.json")
        #expect(key["token_uri"]?.string == baseURL + "/token")
        let format = [
            "--silent", "--max-time", "20", "--output", "/dev/null", "--write-out", "%{http_version} %{http_code}",
        ]
        let trusting = try await output(
            of: "curl", ["--http2", "--cacert", path + "/ca.pem"] + format + [baseURL + "/"])
        #expect(trusting.output == "2 200")
        let byName = baseURL.replacing("127.0.0.1", with: "localhost")
        let old = try await output(
            of: "curl", ["--http1.1", "--cacert", path + "/ca.pem"] + format + [byName + "/"])
        #expect(old.output == "1.1 200")
        let distrusting = try await output(of: "curl", format + [baseURL + "/"])
        #expect(distrusting.status == .exited(60))
    }
}

import Foundation
import GoogleEmulator
import JSON
import Testing

/// Several service accounts of one project, and what Drive limits for each.
@Suite(.timeLimit(.minutes(2))) struct ServiceAccountsTests {
    /// The same client as the service account of a number.
    private func client(_ number: Int, _ client: Client, _ directory: TemporaryDirectory) async throws -> Client {
        var other = client
        let key = try Client.read("\(directory.path)/service-accounts/\(number).json")
        let answer = try await client.grant(Assertion(keyFile: key), key: key["private_key"]?.string)
        other.token = try #require(answer.json["access_token"]?.string, "\(answer.text)")
        return other
    }

    @Test func eachHasADriveAQuotaAndAKey() async throws {
        let directory = try TemporaryDirectory()
        var quotas = QuotaLimits()
        (quotas.windowSeconds, quotas.sheetsReadsPerUser) = (3600, 2)
        try await Client.run(.init(directory: directory.path, serviceAccounts: 2, quotas: quotas)) { first in
            let names = try FileManager.default.contentsOfDirectory(atPath: directory.path + "/service-accounts")
            #expect(names.sorted() == ["1.json", "2.json"])
            #expect(try Client.read(directory.path + "/service-accounts/1.json") == first.keyFile)
            let second = try await client(2, first, directory)
            let mail = "sheetsync-2@emulated-project.iam.gserviceaccount.com"
            let about = try await second.get("/drive/v3/about", ["fields": "user"])
            #expect(about.json["user"]?["emailAddress"]?.string == mail)

            let id = try await first.makeSpreadsheet()
            #expect(try await second.get("/drive/v3/files/\(id)").status == 404)
            #expect(try await second.get("/v4/spreadsheets/\(id)").status == 403)
            #expect(try await second.get("/drive/v3/files").json["files"] == [])
            _ = try await first.call(
                "POST", "/drive/v3/files/\(id)/permissions", [:],
                ["type": "user", "role": "writer", "emailAddress": .string(mail)])
            #expect(try await second.get("/v4/spreadsheets/\(id)").status == 200)
            #expect(
                try await second.get("/v4/spreadsheets/\(id)").status == 429, "its second one was refused for access")
            #expect(try await first.get("/v4/spreadsheets/\(id)").status == 200, "another's quota")
            #expect(first.emulator.journal.entries.last?.account == first.keyFile["client_email"]?.string)

            _ = try await first.call("POST", "/emulator/tokens", [:], ["deleted_keys": [.string(mail)]])
            let key = try Client.read(directory.path + "/service-accounts/2.json")
            let refused = try await first.grant(Assertion(keyFile: key), key: key["private_key"]?.string)
            #expect(refused.json == ["error": "invalid_grant", "error_description": "Invalid JWT Signature."])
            #expect(try await first.grant(Assertion(keyFile: first.keyFile)).status == 200)
        }
    }

    @Test func driveRefusesNewFilesThatComeTooFast() async throws {
        let directory = try TemporaryDirectory()
        var quotas = QuotaLimits()
        // A sixth at once; then one in ten minutes, so that the time that this takes does not matter.
        (quotas.windowSeconds, quotas.driveCreatesPerUser) = (18_000, 30)
        try await Client.run(.init(directory: directory.path, serviceAccounts: 2, quotas: quotas)) { first in
            for _ in 0..<4 { _ = try await first.makeSpreadsheet() }
            let copied = try await first.makeSpreadsheet()
            let refused = try await first.call("POST", "/drive/v3/files/\(copied)/copy", [:], [:])
            #expect(refused.status == 403)
            #expect(
                refused.json["error"] == [
                    "errors": [
                        [
                            "domain": "usageLimits", "reason": "userRateLimitExceeded",
                            "message": "User Rate Limit Exceeded",
                        ]
                    ], "code": 403, "message": "User Rate Limit Exceeded",
                ], "\(refused.text)")
            #expect(try await first.get("/drive/v3/files/\(copied)").status == 200, "only new files")
            _ = try await client(2, first, directory).makeSpreadsheet()
        }
    }

    @Test func driveCountsUnits() async throws {
        var quotas = QuotaLimits()
        (quotas.windowSeconds, quotas.driveUnitsPerUser) = (3600, 160)
        try await Client.run(.init(quotas: quotas)) { client in
            let id = try await client.makeSpreadsheet()
            #expect(try await client.get("/drive/v3/files").status == 200)
            #expect(try await client.get("/drive/v3/files/\(id)").status == 200)
            let use = try await client.get("/emulator/quotas")
            #expect(use.json["use"]?["project"]?["drive_units"]?.int == 155)
            let refused = try await client.get("/drive/v3/files")
            #expect(refused.status == 403, "\(refused.text)")
            #expect(refused.json["error"]?["errors"]?[0]?["reason"]?.string == "userRateLimitExceeded")
            #expect(try await client.get("/drive/v3/files/\(id)").status == 200, "there are five left")
        }
    }
}

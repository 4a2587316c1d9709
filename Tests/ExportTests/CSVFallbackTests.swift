import Export
import Foundation
import GoogleEmulator
import JSON
import JobQueue
import TestSupport
import Testing

@Suite(.serialized) struct CSVFallbackTests {
    private static let data: JSON = [
        "title": "Kept",
        "sheets": [
            [
                "name": "../A b", "columns": ["t", ["name": "d", "type": "date"], "n"],
                "rows": [["=1+1", "2026-11-22", -2.5], ["say \"hi\", you\n", nil, true]],
            ],
            ["name": "B", "rows": [[1, 2]]],
        ],
    ]

    private func directory() throws -> String {
        let path = FileManager.default.temporaryDirectory.appending(path: "sheetsync-csv-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        return path
    }

    private static let refused = Fault(.error(status: 403, reason: "forbidden"), api: .drive, verb: "POST", count: nil)

    private func lastError(_ job: JobRecord) -> JSON? { job.json["errors"]?.array?.last }

    @Test func whatGoogleRefusesForGoodIsKept() async throws {
        let directory = try directory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await ExportStage.with(csvDirectory: directory) { stage in
            stage.emulator.addFault(Self.refused)
            try await stage.work { _ in
                let job = try await stage.export(Self.data)
                #expect(job.state == "discarded" && job.json["attempt"] == 1, "\(job.json)")
                #expect(job.lastError?.code == "google.permission_denied", "\(job.json)")
                let first = "\(directory)/job-\(job.id)-1-___A_b.csv"
                let second = "\(directory)/job-\(job.id)-2-B.csv"
                #expect(lastError(job)?["csv_path"] == [.string(first), .string(second)], "\(job.json)")
                #expect(job.lastError?.message.contains(first) == true)
                #expect(
                    try String(contentsOfFile: first, encoding: .utf8)
                        == "t,d,n\r\n'=1+1,2026-11-22,-2.5\r\n\"say \"\"hi\"\", you\n\",,TRUE\r\n")
                #expect(try String(contentsOfFile: second, encoding: .utf8) == "1,2\r\n")
                let mode = try FileManager.default.attributesOfItem(atPath: first)[.posixPermissions] as? Int
                #expect(mode == 0o640)
                #expect(try FileManager.default.contentsOfDirectory(atPath: directory).count == 2, "no temporary file")
            }
        }
    }

    @Test func theLastAttemptKeepsItTooAndEarlierOnesDoNot() async throws {
        let directory = try directory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await ExportStage.with(csvDirectory: directory) { stage in
            stage.emulator.addFault(Fault(.error(status: 500), api: .sheets, verb: "POST", count: nil))
            try await stage.work { queue in
                let text = try await queue.psql(
                    """
                    select sheetsync.enqueue('export', '{"title": "x", "columns": ["a"], "rows": [[1]]}', max_attempts => 3)
                    """)
                let job = try await stage.ended(try #require(Int(text)))
                #expect(job.state == "discarded", "\(job.json)")
                let errors = job.json["errors"]?.array ?? []
                #expect(errors.count == 3 && errors.dropLast().allSatisfy { $0["csv_path"] == nil }, "\(job.json)")
                let path = try #require(errors.last?["csv_path"]?.string, "\(job.json)")
                #expect(try String(contentsOfFile: path, encoding: .utf8) == "a\r\n1\r\n")
            }
        }
    }

    @Test func aFailureToKeepItHidesNothing() async throws {
        try await ExportStage.with(csvDirectory: "/nowhere") { stage in
            stage.emulator.addFault(Self.refused)
            try await stage.work { _ in
                let job = try await stage.export(Self.data)
                #expect(job.state == "discarded" && job.lastError?.code == "google.permission_denied", "\(job.json)")
                #expect(job.lastError?.message.contains("/nowhere cannot be written to") == true, "\(job.json)")
                #expect(lastError(job)?["csv_path"] == nil)
            }
        }
    }

    @Test func whatIsWrongWithThePayloadIsNotKept() async throws {
        let directory = try directory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await ExportStage.with(csvDirectory: directory) { stage in
            try await stage.work { _ in
                let job = try await stage.export(["title": "x", "template": "none", "rows": [[1]]])
                #expect(job.state == "discarded" && lastError(job)?["csv_path"] == nil, "\(job.json)")
                #expect(try FileManager.default.contentsOfDirectory(atPath: directory).isEmpty)
            }
        }
    }
}

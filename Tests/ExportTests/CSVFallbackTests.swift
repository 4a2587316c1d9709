import Export
import Foundation
import GoogleEmulator
import JSON
import JobQueue
import TestSupport
import Testing

@Suite struct CSVFallbackTests {
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
                        == "\"t\",\"d\",\"n\"\r\n\"'=1+1\",\"2026-11-22\",\"-2.5\"\r\n"
                        + "\"say \"\"hi\"\", you\n\",\"\",\"TRUE\"\r\n")
                #expect(try String(contentsOfFile: second, encoding: .utf8) == "\"1\",\"2\"\r\n")
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
                #expect(try String(contentsOfFile: path, encoding: .utf8) == "\"a\"\r\n\"1\"\r\n")
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

    @Test func anAppendThatIsRefusedInTheMiddleIsKeptAndSoIsWhatHasNoOriginal() async throws {
        let directory = try directory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await ExportStage.with(batchBytes: 3_000, csvDirectory: directory) { stage in
            let id = try await stage.makeTable([["n", "text"]])
            try await stage.work { queue in
                stage.emulator.addFault(
                    Fault(.delay(.zero), api: .sheets, verb: "POST", path: .contains(":batchUpdate")))
                stage.emulator.addFault(
                    Fault(
                        .error(status: 403, reason: "forbidden"), api: .sheets, verb: "POST",
                        path: .contains(":batchUpdate"),
                        count: 2))
                let rows = (0..<120).map { JSON.array([JSON($0), .string("row \($0)")]) }
                let payload = stage.payload(id, "append", columns: ["n", "text"], .array(rows))
                let first = try await stage.export(payload)
                let lines = ["\"n\",\"text\""] + (0..<120).map { "\"\($0)\",\"row \($0)\"" }
                var job = first
                // The second time the file is there already.
                for _ in 1...2 {
                    #expect(
                        job.state == "discarded" && job.lastError?.code == "google.permission_denied", "\(job.json)")
                    #expect(job.lastError?.message.contains("rows of this job stand in the sheet already") == true)
                    let path = try #require(lastError(job)?["csv_path"]?.string, "\(job.json)")
                    #expect(
                        try String(contentsOfFile: path, encoding: .utf8) == lines.joined(separator: "\r\n") + "\r\n")
                    #expect(try FileManager.default.contentsOfDirectory(atPath: directory).count == 1)
                    _ = try await queue.psql("select sheetsync.retry(\(first.id))")
                    job = try await stage.ended(first.id)
                }
                #expect(job.state == "completed", "\(job.json)")
                let copy = try await stage.export(["title": "C", "copy_of": "1nowhere", "rows": [[1]]])
                #expect(copy.state == "discarded" && copy.lastError?.code == "google.not_found", "\(copy.json)")
                #expect(lastError(copy)?["csv_path"]?.string?.hasSuffix(".csv") == true, "\(copy.json)")
            }
        }
    }

    @Test func whatIsWrittenIsNotKept() async throws {
        let directory = try directory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await ExportStage.with(csvDirectory: directory) { stage in
            try await stage.work { _ in
                for fault in [
                    Fault(.error(status: 403, reason: "invalidSharingRequest"), path: .contains("/permissions")),
                    Fault(.error(status: 500), path: .contains("/permissions"), count: nil),
                ] {
                    let number = stage.emulator.addFault(fault)
                    let job = try await stage.export([
                        "title": "x", "rows": [[1]],
                        "share": [["type": "user", "email": "ada@example.com", "role": "reader"]],
                    ])
                    #expect(job.state == "discarded" && lastError(job)?["csv_path"] == nil, "\(job.json)")
                    #expect(stage.emulator.strikes(of: number) > 0)
                    stage.emulator.removeFaults()
                }
                #expect(try FileManager.default.contentsOfDirectory(atPath: directory).isEmpty)
            }
        }
    }

    @Test func aFileIsNotToBeSeenBeforeItIsWhole() async throws {
        let directory = try directory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await ExportStage.with(csvDirectory: directory) { stage in
            stage.emulator.addFault(Self.refused)
            let looking = Task {
                var seen: Set<String> = []
                while !Task.isCancelled {
                    seen.formUnion(try FileManager.default.contentsOfDirectory(atPath: directory))
                    try? await Task.sleep(for: .milliseconds(1))
                }
                return seen
            }
            try await stage.work { _ in
                let rows = JSON.array((0..<30_000).map { [JSON($0), "some text"] })
                let job = try await stage.export(["title": "Long", "rows": rows])
                #expect(job.state == "discarded", "\(job.json["errors"] ?? nil)")
                let path = try #require(lastError(job)?["csv_path"]?.string)
                #expect(try String(contentsOfFile: path, encoding: .utf8).utf8.count { $0 == 10 } == 30_000)
                try await Task.sleep(for: .milliseconds(50))
                looking.cancel()
                let seen = try await looking.value
                #expect(
                    seen == [String(path.split(separator: "/").last ?? "")], "also one that a dead process would leave")
            }
        }
    }

    @Test func allFilesTogetherHaveALimit() async throws {
        let directory = try directory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        // Of another program, which counts for nothing and stays.
        _ = FileManager.default.createFile(atPath: "\(directory)/other.csv", contents: Data(count: 100_000))
        try await ExportStage.with(csvDirectory: directory, csvLimit: 50_000) { stage in
            stage.emulator.addFault(Self.refused)
            try await stage.work { _ in
                let rows = JSON.array((0..<1_000).map { [JSON($0), "twenty characters, or so"] })
                let payload: JSON = [
                    "title": "x", "sheets": [["name": "A", "rows": [[1]]], ["name": "B", "rows": rows]],
                ]
                let first = try await stage.export(payload)
                #expect(lastError(first)?["csv_path"] != nil, "\(first.json)")
                let second = try await stage.export(payload)
                #expect(second.lastError?.code == "google.permission_denied", "\(second.json)")
                #expect(second.lastError?.message.contains("SHEETSYNC_EXPORT_MAX_MB") == true, "\(second.json)")
                #expect(lastError(second)?["csv_path"] == nil)
                // Not even the sheet that would have fitted: a part would pass for the whole.
                let names = try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
                #expect(names == ["job-\(first.id)-1-A.csv", "job-\(first.id)-2-B.csv", "other.csv"])
            }
        }
    }

    @Test func filesGoWithTheirJobs() async throws {
        let directory = try directory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: directory).sorted() }
        try await ExportStage.with(csvDirectory: directory) { stage in
            stage.emulator.addFault(Self.refused)
            try await stage.work { queue in
                let job = try await stage.export(["title": "x", "rows": [[1]]])
                #expect(try names() == ["job-\(job.id)-1-Sheet1.csv"])
                // Tried again, it comes to a better end.
                stage.emulator.removeFaults()
                #expect(try await queue.jobs.retry(job.id))
                #expect(try await stage.ended(job.id).state == "completed")
                #expect(try names().isEmpty)
            }
        }
        let fallback = CSVFallback(directory: directory)
        for (name, age) in [
            ("job-1-1-A.csv", 100.0), ("job-2-1-A.csv", 10.0), ("job-x-1-A.csv", 100.0), ("a.csv", 100.0),
        ] {
            let path = "\(directory)/\(name)"
            _ = FileManager.default.createFile(atPath: path, contents: Data("x".utf8))
            try FileManager.default.setAttributes(
                [.modificationDate: Date.now.addingTimeInterval(-age * 3600)], ofItemAtPath: path)
        }
        fallback.removeFiles(olderThan: .seconds(50 * 3600))
        #expect(try names() == ["a.csv", "job-2-1-A.csv", "job-x-1-A.csv"])
    }
}

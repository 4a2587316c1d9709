import Foundation
import JSON
import JobQueue
import SheetModel
import TestSupport
import Testing

@testable import Export

@Suite(.serialized) struct SpoolTests {
    @Test func aJobThatNeedsMoreThanThereIsEnds() async throws {
        try await SourceStage.with(spoolLimit: 1 << 20) { source in
            let job = try await source.export("select generate_series(1, 1000000000), repeat('x', 1000)")
            #expect(job.state == "discarded" && job.lastError?.code == "export.spool_full", "\(job.json)")
            #expect(job.lastError?.message.contains("SHEETSYNC_SPOOL_MAX_MB") == true)
            #expect(source.spool.bytesUsed == 0)
            try await wait(for: "the session to be gone") { try await !source.isConnected() }
            let small = try await source.export("select 1")
            #expect(small.state == "completed", "\(small.json)")
        }
    }

    @Test func aJobWaitsForTheRoomThatOthersHold() async throws {
        try await SourceStage.with(spoolLimit: 1 << 20) { source in
            var other: SpoolSpace.Share? = source.spool.share()
            try other?.take(1 << 20)
            let id = try await source.enqueue("select g from generate_series(1, 3) g")
            try await wait(for: "the job to be given back") {
                try await source.stage.queue.psql(
                    "select waits_for ->> 'code' from sheetsync.jobs where id = \(id)") == "export.spool_full"
            }
            let mending = try await source.stage.queue.psql(
                "select waits_for -> 'needs_mending' is null from sheetsync.jobs where id = \(id)")
            #expect(mending == "t", "room comes by itself")
            other = nil
            let job = try await source.stage.ended(id)
            #expect(job.state == "completed" && job.json["attempt"] == 1, "\(job.json)")
        }
    }

    @Test func aDirectoryThatIsNotThereIsTriedAgain() async throws {
        let share = SpoolSpace(directory: "/nowhere/at/all", limit: 1 << 20).share()
        let failure = #expect(throws: JobFailure.self) { _ = try SpoolWriter(share) }
        #expect(failure?.code == "export.spool_failed", "\(String(describing: failure))")
        #expect(failure?.needsMending == true)
        guard case .snooze? = failure?.retry else {
            Issue.record("what only an operator can mend costs attempts: \(String(describing: failure?.retry))")
            return
        }
        #expect(failure?.message.contains("No such file or directory") == true)
    }

    /// Lines of any length come back from any row on, also those longer than a block.
    @Test func rowsComeBackFromAnyPlaceOn() throws {
        var random = SeededGenerator(seed: 7)
        let directory = FileManager.default.temporaryDirectory.appending(path: "sheetsync-spool-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: directory) }
        let space = SpoolSpace(directory: directory.path, limit: 1 << 30)
        for count in [0, 1, 255, 256, 257, 3000] {
            var lines: [[UInt8]] = []
            var spool = try SpoolWriter(space.share())
            var pending: [UInt8] = []
            for row in 0..<count {
                let isLong = Int.random(in: 0...100, using: &random) == 0
                let size = isLong ? 600_000 : Int.random(in: 0...300, using: &random)
                lines.append([UInt8](repeating: UInt8(33 + row % 90), count: size))
                spool.note(row: row, behind: pending.count)
                pending += lines[row] + [0x0A]
                if pending.count > 10_000 {
                    try spool.write(pending[...])
                    pending = []
                }
            }
            try spool.write(pending[...])
            let rows = spool.rows(count)
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty, "files have no name")
            #expect(rows.count == count)
            for first in Set([0, 1, count / 2, count - 1, count, count + 1, 256, 300]) where first >= 0 {
                var cursor = rows.cursor(from: first)
                for line in lines.dropFirst(first) {
                    let found = try cursor.next().map(Array.init)
                    guard found == line else {
                        Issue.record("from row \(first) of \(count): \(found?.count ?? -1) bytes, not \(line.count)")
                        return
                    }
                }
                #expect(try cursor.next() == nil)
            }
        }
        #expect(space.bytesUsed == 0)
    }
}

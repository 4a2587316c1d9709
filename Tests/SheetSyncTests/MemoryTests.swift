import Foundation
import JSON
import JobQueue
import TestSupport
import Testing

/// What payloads, notifications and jobs take of memory, with a limit as a small container has it.
@Suite(.serialized) struct MemoryTests {
    private static let limit = 512 << 20
    /// Each has ten million cells, which a build for debugging takes seconds to plan.
    private static let wide = 4

    /// Rows of one small value each: of all payloads the one whose tree of values would be largest.
    private func rows(bytes: Int) -> String { "[[0]\(String(repeating: ", [0]", count: bytes / 5 - 1))]" }

    private func export(_ rows: String, columns: String = #"["a"]"#, isDry: Bool = true) -> String {
        #"{"title": "t", "columns": \#(columns), "rows": \#(rows), "dry_run": \#(isDry)}"#
    }

    /// What a process has held at most, in bytes.
    private func peak(_ id: Int32) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return Int(try #require(line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }))
            * 1024
    }

    @Test func aPayloadTakesEightTimesItsSizeAtMost() async throws {
        try await Stage.with { stage in
            try await stage.daemon.withDaemon { daemon in
                // The program's own pages that such a payload needs count as memory too; a small one has read them before.
                _ = try await stage.ended(try await stage.enqueue("export", text: export(rows(bytes: 100_000))))
                let before = try peak(daemon.id)
                let payload = export(rows(bytes: 3_900_000))
                let job = try await stage.ended(
                    try await stage.enqueue("export", text: payload), within: .seconds(300))
                #expect(job.state == "completed" && job.result?["sheets"]?[0]?["rows"] == 780_000, "\(job.json)")
                let taken = try peak(daemon.id) - before
                print(
                    "a payload of \(payload.utf8.count) bytes took \(Double(taken) / Double(payload.utf8.count)) times as much"
                )
                #expect(taken <= 8 * payload.utf8.count)
            }
        }
    }

    /// Payloads of a few bytes for many columns, sixteen of the largest that are allowed, and a flood of notifications.
    @Test func nothingThatCanBeEnqueuedBringsTheDaemonDown() async throws {
        try await Stage.with { stage in
            let daemon = stage.daemon.with([
                "SHEETSYNC_MEMORY_MB": "\(Self.limit / 4 * 3 / 1_048_576)", "SHEETSYNC_CONCURRENCY": "16",
                // Among other tests a debug build may read such payloads for longer than the usual lease.
                "SHEETSYNC_LEASE_SECONDS": "180",
            ])
            let group = MemoryGroup(limit: Self.limit)
            defer { group?.remove() }
            let ended = try await daemon.withDaemon(within: .seconds(400)) { daemon in
                try group?.take(daemon.id)
                let columns = "[\((1...18_278).map { _ in #""""# }.joined(separator: ","))]"
                let wide = export("[\(Array(repeating: "[]", count: 546).joined(separator: ","))]", columns: columns)
                let texts = Array(repeating: #"["\#(String(repeating: "x", count: 49_990))"]"#, count: 104)
                let large = export("[\(texts.joined(separator: ", "))]")
                var ids: [Int] = []
                for _ in 1...Self.wide { ids.append(try await stage.enqueue("export", text: wide)) }
                for _ in 1...16 { ids.append(try await stage.enqueue("export", text: large)) }
                for round in 1...50 {
                    _ = try await stage.queue.psql(
                        """
                        select from (select pg_notify(channel, \(round) || ' ' || n || repeat('x', 7000))
                            from generate_series(1, 200) n, (values ('sheetsync_cancel'), ('sheetsync_ready')) c (channel)) x
                        """)
                }
                for id in ids {
                    try await wait(for: "job \(id)", within: .seconds(300), seeing: { daemon.errors }) {
                        try await stage.job(id).isFinal
                    }
                    #expect(try await stage.job(id).state == "completed")
                }
                let peak = try peak(daemon.id)
                print(
                    "32 payloads and 20,000 notifications took \(peak / 1_048_576) MB at most, \(group == nil ? "no" : "a") hard limit"
                )
                #expect(daemon.isAlive && peak < Self.limit)
            }
            #expect(!ended.errors.contains("taken for dead") && !ended.errors.contains("no sign of life"), "\(ended)")
        }
    }
}

/// A control group of memory with a hard limit, where this process may make one.
private struct MemoryGroup {
    private let path: String

    init?(limit: Int) {
        let groups = (try? String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8)) ?? ""
        let lines = groups.split(separator: "\n").map {
            $0.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        }
        guard let memory = lines.first(where: { $0.count == 3 && $0[1].split(separator: ",").contains("memory") })
        else {
            return nil
        }
        path = "/sys/fs/cgroup/memory\(memory[2])/sheetsync-test-\(ProcessInfo.processInfo.processIdentifier)"
        guard (try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)) != nil,
            Self.write("\(limit)", to: path + "/memory.limit_in_bytes")
        else {
            remove()
            return nil
        }
    }

    func take(_ process: Int32) throws { #expect(Self.write("\(process)", to: path + "/cgroup.procs")) }

    func remove() { _ = unsafe rmdir(path) }

    private static func write(_ text: String, to path: String) -> Bool {
        guard let file = FileHandle(forWritingAtPath: path) else { return false }
        return (try? file.write(contentsOf: Data(text.utf8))) != nil
    }
}

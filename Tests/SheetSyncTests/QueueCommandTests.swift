import JSON
import JobQueue
import TestSupport
import Testing

/// `sheetsync queue`, as an operator uses it.
@Suite(.serialized) struct QueueCommandTests {
    @Test func aPausedQueueWaitsSaysSoAndGoesOn() async throws {
        try await Stage.with { stage in
            let queue = stage.program(.operator)
            try await stage.daemon.withDaemon { _ in
                let paused = try await queue("queue", "pause").expect(0)
                #expect(paused.line == "the queue is paused; jobs that run go on")
                #expect(try await queue("queue", "pause").expect(0).line == "the queue was paused already")
                let id = try await stage.enqueue("noop", [:])
                let status = try await queue("status").expect(1)
                let reason = "DEGRADED: the queue is paused by \(stage.name(.operator)) since 20"
                #expect(status.output.hasPrefix(reason), "\(status)")
                #expect(status.output.contains("1 job waits: resume with `sheetsync queue resume`\n"), "\(status)")
                #expect(try await stage.job(id).attempt == 0)
                #expect(try await queue("queue", "resume").expect(0).line == "the queue is resumed")
                #expect(try await stage.ended(id).state == "completed")
                #expect(try await queue("queue", "resume").expect(0).line == "the queue was not paused")

                #expect(
                    try await queue("queue", "pause", "export").expect(0).line
                        == "kind export is paused; jobs that run go on")
                #expect(try await stage.ended(try await stage.enqueue("noop", [:])).state == "completed")
                let partly = try await queue("status").expect(1)
                #expect(partly.output.hasPrefix("DEGRADED: jobs of kind export are paused by"), "\(partly)")
                // Without the kind it would lift the pauses of others.
                #expect(partly.output.contains(": resume with `sheetsync queue resume export`\n"), "\(partly)")
                #expect(try await queue("queue", "resume", "export").expect(0).line == "kind export is resumed")
                try await queue("queue", "pause", "exprot").expectRefusal(1, "unknown kind of job: 'exprot'", "export")
            }
            try await stage.program(.producer)("queue", "pause").expectRefusal(1, "sheetsync_operator")
        }
    }
}

import Export
import JobQueue
import Postgres
import Synchronization

/// Looks at the queue for those who ask over HTTP.
///
/// There is one look at a time and none within two seconds of the last, so that whoever asks often costs the database
/// nothing.
actor QueueProbe {
    /// What the database said.
    struct Found: Sendable {
        let report: QueueReport
        let google: GoogleStanding
        /// What keeps workers from their work, where the queue's tables do not say it.
        let stallCause: StallCause?
    }

    /// What a look found.
    struct Finding: Sendable {
        /// From the question until the answer, a wait for the daemon's connection included.
        let queryTime: Duration
        let outcome: Result<Found, PostgresError>
    }

    private static let freshness = Duration.seconds(2)
    private static let longestWait = Duration.seconds(5)

    private let schema: Schema
    private let connection: Connection
    private var look: Task<Finding, Never>?
    private var lookedAt: ContinuousClock.Instant?

    init(_ schema: Schema, on connection: Connection) {
        self.schema = schema
        self.connection = connection
    }

    /// What the queue looks like; an error where the database does not answer within five seconds.
    func finding() async -> Finding {
        let isFresh = lookedAt.map { .now - $0 < Self.freshness } ?? true
        if look == nil || !isFresh {
            lookedAt = nil
            look = Task { await self.read() }
        }
        guard let look, let finding = await value(of: look, within: Self.longestWait) else {
            return Finding(
                queryTime: Self.longestWait,
                outcome: .failure(PostgresError(.timedOut, "no answer within \(Self.longestWait / .seconds(1)) s")))
        }
        return finding
    }

    private func read() async -> Finding {
        let start = ContinuousClock.now
        let outcome: Result<Found, PostgresError>
        do throws(PostgresError) {
            outcome = .success(
                Found(
                    report: try await QueueReport.read(schema, on: connection),
                    google: try await GoogleStanding.read(schema, on: connection),
                    stallCause: await StallCause.look(
                        hasNoLiveWorker: false, triesToWrite: false, schema, on: connection)))
        } catch {
            outcome = .failure(error)
        }
        lookedAt = .now
        return Finding(queryTime: .now - start, outcome: outcome)
    }
}

/// A task's value, or nil where it takes too long; the task goes on.
private func value<Value: Sendable>(of task: Task<Value, Never>, within limit: Duration) async -> Value? {
    let (answers, continuation) = AsyncStream<Value?>.makeStream(bufferingPolicy: .bufferingOldest(1))
    let waiting = Task { continuation.yield(await task.value) }
    let alarm = Task {
        try? await Task.sleep(for: limit)
        continuation.yield(nil)
    }
    defer {
        waiting.cancel()
        alarm.cancel()
    }
    for await answer in answers { return answer }
    return nil
}

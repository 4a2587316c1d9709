import Export
import Logging
import Postgres
import ServiceLifecycle

/// Says in the queue's schema, for `sheetsync status`, which keys this daemon works without, for as long as it does.
struct KeyNotice: Service {
    /// How often it is said; a daemon that was killed is believed a little longer.
    private static let pause = Duration.seconds(60)

    let keys: [UnusableKey]
    let control: Connection
    let schema: String
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            repeat {
                await tell { key throws(PostgresError) in
                    try await key.note(for: Self.pause * 2, on: control, schema: schema)
                }
            } while await isLater()
        }
        await tell { key throws(PostgresError) in try await key.forget(on: control, schema: schema) }
    }

    private func isLater() async -> Bool { (try? await Task.sleep(for: Self.pause)) != nil }

    private func tell(_ body: (UnusableKey) async throws(PostgresError) -> Void) async {
        for key in keys {
            do throws(PostgresError) { try await body(key) } catch {
                logger.debug("the database was not told of a key that cannot be used: \(error)")
            }
        }
    }
}

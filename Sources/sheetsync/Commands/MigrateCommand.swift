import ArgumentParser
import JobQueue
import Output
import Postgres

struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Make or update the queue's schema in the database.")

    @Flag(help: "Print what would run as a script for psql, and run nothing.")
    var plan = false

    func run() async throws {
        try await ending {
            // A step may rebuild an index; nothing waits behind this connection.
            let access = try await DatabaseAccess(statementTimeout: .seconds(3600), lockTimeout: .seconds(3))
            if plan {
                if let script = try await access.schema.plan(on: access.connection) {
                    Console.print(lines: script.split(separator: "\n", omittingEmptySubsequences: false))
                } else {
                    Console.print("-- nothing to do: \(try await state(of: access))")
                }
                return
            }
            let applied = try await migrate(access)
            for step in applied { Console.print("applied step \(step.number): \(step.name)") }
            Console.print(try await state(of: access))
        }
    }

    private func migrate(_ access: DatabaseAccess) async throws -> [Migration] {
        do {
            return try await access.schema.migrate(on: access.connection) { Console.error($0) }
        } catch let error as PostgresError {
            guard error.sqlState == "42501" else { throw error }
            throw CommandFailure(
                status: .degraded,
                message:
                    "\(error): this login may not create what the queue needs. Run `migrate` as the database's owner or "
                    + "after `grant create on database … to …`, or have an administrator run what `migrate --plan` prints."
            )
        }
    }

    private func state(of access: DatabaseAccess) async throws -> String {
        "schema \(access.schema.name) is at step \(try await access.schema.requireCompatible(on: access.connection))"
    }
}

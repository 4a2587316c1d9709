import ArgumentParser
import JobQueue

struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Make or update the queue's schema in the database.")

    @Flag(help: "Print the statements that would run, and run nothing.")
    var plan = false

    func run() async throws {
        try await ending {
            // A step may rebuild an index; nothing waits behind this connection.
            let access = try await DatabaseAccess(statementTimeout: .seconds(3600))
            if plan {
                try await printPlan(access)
                return
            }
            let applied = try await access.schema.migrate(on: access.connection)
            for step in applied { Console.print("applied step \(step.number): \(step.name)") }
            Console.print("schema \(access.schema.name) is at step \(Migration.all.count)")
        }
    }

    private func printPlan(_ access: DatabaseAccess) async throws {
        let roles = try await Roles.missingStatements(on: access.connection)
        let pending = try await access.schema.pending(on: access.connection)
        if roles.isEmpty, pending.isEmpty {
            Console.print("-- nothing to do: schema \(access.schema.name) is at step \(Migration.all.count)")
        }
        for statement in roles { Console.print(statement) }
        for step in pending {
            Console.print("-- step \(step.number): \(step.name) (schema \(access.schema.name), as sheetsync_owner)")
            Console.print(step.sql)
        }
    }
}

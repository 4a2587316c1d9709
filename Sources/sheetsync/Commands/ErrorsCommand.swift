import ArgumentParser
import JSON
import Output

struct ErrorsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "errors", abstract: "List the codes of errors, with what to do.")

    @Argument(help: "Only this code.")
    var code: String?

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Print the table in docs/errors.md.")
    var markdown = false

    func run() throws {
        let rows = ErrorTable.rows.filter { code == nil || $0.code == code }
        guard !rows.isEmpty else {
            Console.error("sheetsync: there is no error code \(code ?? "")")
            throw ExitCode(ExitStatus.degraded.rawValue)
        }
        if markdown {
            Console.print(lines: ErrorTable.markdown.split(separator: "\n", omittingEmptySubsequences: false))
        } else if json {
            let errors = rows.map { row -> JSON in ["code": .string(row.code), "advice": .string(row.advice)] }
            let document: JSON = ["schema": 1, "errors": .array(errors)]
            Console.print(document.description)
        } else {
            for row in rows { Console.print(lines: [Style.bold(row.code), "    \(row.advice)"]) }
        }
    }
}

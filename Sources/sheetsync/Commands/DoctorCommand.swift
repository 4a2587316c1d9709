import ArgumentParser
import Export
import FoundationEssentials
import Google
import JSON
import JobQueue

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Check the settings, Google's side and the database, and say what to mend.",
        discussion: """
            It changes nothing, here or at Google. Without DATABASE_URL it looks at the settings of the installed unit, in \
            /etc/sheetsync, which only root reads; otherwise at those of its environment. \
            Exit codes: 0 nothing has to be mended, 1 something has.
            """)

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        try await ending {
            var checkup = Checkup()
            await look(&checkup)
            if json { Console.print(checkup.json.description) } else { checkup.show() }
            if checkup.hasFailed { throw ExitCode(ExitStatus.degraded.rawValue) }
        }
    }

    /// Each part is looked at although another one is ill.
    private func look(_ checkup: inout Checkup) async {
        let reader: SettingsReader
        do { reader = try await SettingsReader() } catch { return checkup.fail("settings", error) }
        let before = checkup.findings.count
        // The same as the daemon reads, so that no wrong value is left for its start.
        checkup.check("settings") {
            _ = try reader.worker()
            _ = try reader.largestPayload()
            _ = try reader.csvFallback()
        }
        let database = checkup.value("settings") { try DatabaseSettings(reader) }
        let google = checkup.value("settings") { try GoogleSettings(reader) }
        let source = checkup.value("settings") { try SourceSettings(reader) }
        checkup.origin = reader.origin.words
        if checkup.findings.count == before {
            checkup.add(.ok, "settings", "all are readable and in range")
        }
        if let google {
            look(at: TemplateDirectory(path: google.templatesPath), &checkup)
            await GoogleCheck(settings: google).look(&checkup)
        }
        if let database {
            await DatabaseCheck(settings: database, silenceLimit: try? reader.silenceLimit()).look(&checkup)
        }
        if let source, let database {
            await SourceCheck(settings: source, queueSchema: database.schema.name).look(&checkup)
        }
        await UnitCheck(environment: ProcessInfo.processInfo.environment).look(&checkup)
    }
}

extension DoctorCommand {
    private func look(at templates: TemplateDirectory, _ checkup: inout Checkup) {
        let faults = templates.faults()
        for fault in faults { checkup.add(.fail, "templates", fault) }
        if faults.isEmpty { checkup.add(.ok, "templates", "all can be used") }
    }
}

extension SettingsReader.Origin {
    /// Which settings were looked at.
    fileprivate var words: String {
        switch self {
        case .unit(let installation) where installation.properties != nil:
            "those of the installed unit, as systemd has them with all drop-ins"
        case .unit(let installation):
            "those of the installed unit (sheetsync.env and the secrets in \(installation.path); systemd does not run here)"
        case .environment where ProcessInfo.processInfo.environment["CREDENTIALS_DIRECTORY"] != nil:
            "those that systemd gives to this process"
        case .environment where Installation().isThere || Installation().isHidden:
            "those of this environment; the installed unit has its own, which `sheetsync doctor` looks at as root and without "
                + "DATABASE_URL"
        case .environment: "those of this environment"
        }
    }
}

extension Checkup {
    /// Does something; an error is a finding.
    fileprivate mutating func check(_ name: String, _ body: () throws -> Void) {
        _ = value(name, body)
    }

    /// Makes something; an error is a finding.
    fileprivate mutating func value<Value>(_ name: String, _ body: () throws -> Value) -> Value? {
        do { return try body() } catch {
            fail(name, error)
            return nil
        }
    }
}

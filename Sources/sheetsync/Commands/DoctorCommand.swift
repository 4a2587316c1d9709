import ArgumentParser
import Export
import FoundationEssentials
import Google
import JSON
import JobQueue
import Output

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Check the settings, Google's side and the database, and say what to mend.",
        discussion: """
            It changes nothing but a refresh token that Google replaces. Without DATABASE_URL it looks at the settings of the \
            installed unit, in /etc/sheetsync, which only root reads; otherwise at those of its environment. \
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
        let database = checkup.value(of: reader) { try DatabaseSettings($0) }
        let google = checkup.value(of: reader) { try GoogleSettings($0) }
        let source = checkup.value(of: reader) { try SourceSettings($0) }
        _ = checkup.value(of: reader) { try $0.worker() }
        _ = checkup.value(of: reader) { try $0.largestPayload() }
        _ = checkup.value(of: reader) { try $0.csvFallback() }
        _ = checkup.value(of: reader) { try OperatorSettings($0) }
        _ = checkup.value(of: reader) { try LogSettings($0) }
        checkup.origin = reader.origin.words
        if checkup.findings.count == before {
            checkup.add(.ok, "settings", "all are readable and in range")
        }
        for name in reader.unknownNames { checkup.add(.warn, "settings", name.warning) }
        if let google {
            look(at: TemplateDirectory(path: google.templatesPath), &checkup)
            await GoogleCheck(settings: google).look(&checkup)
        }
        if let database {
            await DatabaseCheck(settings: database, google: google, silenceLimit: try? reader.silenceLimit())
                .look(&checkup)
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
    /// Makes something of the settings; each wrong one of them is a finding, not only the first.
    fileprivate mutating func value<Value>(
        of reader: SettingsReader, _ body: (SettingsReader) throws -> Value
    ) -> Value? {
        var reader = reader
        var told: Set<String> = []
        while true {
            do {
                let value = try body(reader)
                return told.isEmpty ? value : nil
            } catch {
                let name = (error as? SettingsError)?.name
                // Of a setting that is left out already, only its absence is said.
                if let name, told.contains(name) { return nil }
                let words = CommandFailure(error).message
                // Several parts may need the same setting.
                if !findings.contains(where: { $0.words == words }) { add(.fail, "settings", words) }
                guard let name else { return nil }
                told.insert(name)
                reader = reader.without(name)
            }
        }
    }
}

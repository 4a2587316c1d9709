import Configuration
import FoundationEssentials
import Google
import SystemPackage

/// A setting that cannot be used.
struct SettingsError: Error, CustomStringConvertible {
    let name: String
    /// What is wrong with it, without its value.
    let problem: String
    /// The value where a path is meant, and the words of whoever could not use it; shown to operators alone.
    private let details: String

    /// Makes an error.
    ///
    /// - Parameters:
    ///   - path: The value where it should be a path; what looks like none is not repeated, for it may be a secret.
    ///   - reason: What another module says of it, which never shows a secret.
    init(name: String, problem: String, path: String? = nil, reason: String? = nil) {
        self.name = name
        self.problem = problem
        let path = path.map { FilePath.isPlausible($0) ? "\(name) is \($0)" : "\(name) is set to what is no path" }
        details = [path, reason].compactMap(\.self).map { ": \($0)" }.joined()
    }

    /// The setting's name and what is wrong with it, never its value where that may be secret.
    var description: String { "\(name) \(problem)\(details)" }
    /// The same for everybody who may look into the queue: no value at all.
    var publicDescription: String { "\(name) \(problem)" }
}

/// Reads settings by the names that docs/settings.md lists.
///
/// A systemd credential of the same purpose (`DATABASE_URL` is the file `database-url`) wins over the environment. A person's
/// command without DATABASE_URL works with the settings of the installed unit, as far as the environment has no others.
struct SettingsReader {
    /// Where the settings come from.
    enum Origin {
        /// The environment, and the credentials of systemd where it started the program.
        case environment
        /// The installed unit's files.
        case unit(Installation)
    }

    let origin: Origin
    /// What systemd and the system set, and no operator.
    private static let foreign = ["CACHE_DIRECTORY", "STATE_DIRECTORY", "TMPDIR"]

    private let reader: ConfigReader
    private let credentialsDirectory: String?
    private let emptied: Set<String>
    /// Settings to leave out, although they are there.
    private var hidden: Set<String> = []
    /// What looks like a setting and is none, in the order of the names.
    let unknownNames: [UnknownSetting]

    init(
        environment: [String: String] = ProcessInfo.processInfo.environment, installation: Installation = Installation()
    ) async throws {
        var environment = environment
        if environment["CREDENTIALS_DIRECTORY"] == nil, environment["DATABASE_URL"]?.isEmpty != false,
            installation.isThere
        {
            var installation = installation
            if installation.properties == nil {
                installation.properties = await UnitProperties.read(of: Installation.unit)
            }
            origin = .unit(installation)
            environment = try installation.environment().merging(environment.filter { !$0.value.isEmpty }) { $1 }
        } else {
            origin = .environment
        }
        // Set but empty is as good as not set: `FOO= sheetsync run` and compose files do that.
        let given = environment.filter { !$0.value.isEmpty }
        var providers: [any ConfigProvider] = [EnvironmentVariablesProvider(environmentVariables: given)]
        unknownNames = given.keys.sorted().compactMap { UnknownSetting($0) }
        emptied = Set(environment.keys).subtracting(given.keys)
        let credentialsDirectory = given["CREDENTIALS_DIRECTORY"]
        if let credentialsDirectory {
            do {
                providers.insert(
                    try await DirectoryFilesProvider(directoryPath: FilePath(credentialsDirectory)), at: 0)
            } catch {
                throw SettingsError(name: "CREDENTIALS_DIRECTORY", problem: "names a folder that cannot be read")
            }
        }
        self.credentialsDirectory = credentialsDirectory
        reader = ConfigReader(providers: providers)
    }

    /// A text, without surrounding white space; nil where it is not set.
    func text(_ name: String) -> String? {
        assert(UnknownSetting.known.contains(name) || Self.foreign.contains(name), "\(name) is in no list of settings")
        guard !hidden.contains(name) else { return nil }
        let key = ConfigKey(name.lowercased().split(separator: "_").map(String.init))
        let text = reader.string(forKey: key, isSecret: true)?.trimmed
        return text?.isEmpty == true ? nil : text
    }

    /// The same settings but for one, which counts as not set.
    func without(_ name: String) -> SettingsReader {
        var other = self
        other.hidden.insert(name)
        return other
    }

    /// Whether it is set to nothing, for the few settings where that means "off".
    func isEmptied(_ name: String) -> Bool { emptied.contains(name) && !hidden.contains(name) && text(name) == nil }

    /// The path of a credential of systemd with this purpose, where there is one.
    func credentialPath(_ name: String) -> String? {
        let name = name.lowercased().replacing("_", with: "-")
        // What systemd copies for the unit, a command of root's reads in place.
        if case .unit(let installation) = origin { return installation.credentialPath(name) }
        guard let credentialsDirectory else { return nil }
        let path = credentialsDirectory + "/" + name
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }

    /// A whole number in a range.
    func int(_ name: String, default value: Int, in range: ClosedRange<Int>) throws -> Int {
        guard let text = text(name) else { return value }
        guard let number = Int(text), range.contains(number) else {
            throw SettingsError(
                name: name, problem: "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// A number of seconds in a range; fractions are allowed.
    func seconds(_ name: String, default value: Double, in range: ClosedRange<Double>) throws -> Duration {
        guard let text = text(name) else { return .seconds(value) }
        guard let number = Double(text), range.contains(number) else {
            throw SettingsError(
                name: name, problem: "must be a number of seconds from \(range.lowerBound) to \(range.upperBound)")
        }
        return .seconds(number)
    }

    /// A truth value: true, yes, on, 1 and their opposites.
    func bool(_ name: String, default value: Bool) throws -> Bool {
        switch text(name)?.lowercased() {
        case nil: return value
        case "true", "yes", "on", "1": return true
        case "false", "no", "off", "0": return false
        default: throw SettingsError(name: name, problem: "must be true or false")
        }
    }
}

extension String {
    fileprivate var trimmed: String {
        var text = self[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}

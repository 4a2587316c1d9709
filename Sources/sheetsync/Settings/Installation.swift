import FoundationEssentials

/// The files that the package leaves for an operator to fill in, and from which the unit takes its settings.
struct Installation {
    static let unit = "sheetsync.service"

    var path = "/etc/sheetsync"
    /// What systemd says about the unit; nil where nobody has asked it or it does not know.
    var properties: UnitProperties?

    private var settingsPath: String { path + "/sheetsync.env" }
    private var databasePath: String { properties?.credentials["database-url"] ?? path + "/database-url" }

    /// Whether somebody has filled it in, as far as this user may see.
    var isThere: Bool { FileManager.default.fileExists(atPath: databasePath) }

    /// Whether it is there, although this user may not look into it.
    var isHidden: Bool {
        FileManager.default.fileExists(atPath: path) && !FileManager.default.isExecutableFile(atPath: path)
    }

    /// The unit's settings, those of its credentials among them but for Google's, which are read in place.
    func environment() throws -> [String: String] {
        var settings = properties?.environment ?? [:]
        for file in properties?.environmentFiles ?? [settingsPath] where FileManager.default.fileExists(atPath: file) {
            settings.merge(EnvironmentFile.settings(in: try text(file))) { $1 }
        }
        for (name, file) in properties?.credentials ?? [:] where !name.hasPrefix("google-sheets-") {
            let setting = name.uppercased().replacing("-", with: "_")
            if let text = try? text(file) { settings[setting] = text }
        }
        settings["DATABASE_URL"] = try text(databasePath).split(whereSeparator: \.isWhitespace).first.map(String.init)
        return settings
    }

    /// Where the credential of a name lies; nil where the unit has none.
    func credentialPath(_ name: String) -> String? {
        let path = properties.map { $0.credentials[name] } ?? "\(path)/\(name)"
        return path.flatMap { FileManager.default.fileExists(atPath: $0) ? $0 : nil }
    }

    private func text(_ path: String) throws -> String {
        do { return try String(contentsOfFile: path, encoding: .utf8) } catch {
            throw SettingsError(
                name: path, problem: "cannot be read by this user: run the command as root, or give it DATABASE_URL")
        }
    }
}

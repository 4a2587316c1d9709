import FoundationEssentials

/// The files that the package leaves for an operator to fill in, and from which the unit takes its settings.
struct Installation {
    var path = "/etc/sheetsync"

    private var settingsPath: String { path + "/sheetsync.env" }
    private var databasePath: String { path + "/database-url" }

    /// Whether somebody has filled it in, as far as this user may see.
    var isThere: Bool { FileManager.default.fileExists(atPath: databasePath) }

    /// Whether it is there, although this user may not look into it.
    var isHidden: Bool {
        FileManager.default.fileExists(atPath: path) && !FileManager.default.isExecutableFile(atPath: path)
    }

    /// The unit's settings, and the database's address among them.
    func environment() throws -> [String: String] {
        var settings: [String: String] = [:]
        if FileManager.default.fileExists(atPath: settingsPath) { settings = Self.settings(in: try text(settingsPath)) }
        settings["DATABASE_URL"] = try text(databasePath).split(whereSeparator: \.isWhitespace).first.map(String.init)
        return settings
    }

    private func text(_ path: String) throws -> String {
        do { return try String(contentsOfFile: path, encoding: .utf8) } catch {
            throw SettingsError(
                name: path, problem: "cannot be read by this user: run the command as root, or give it DATABASE_URL")
        }
    }

    /// The settings of an environment file, as systemd reads it: NAME=value, with quotes around the value or without, comments
    /// behind # and ;.
    static func settings(in text: String) -> [String: String] {
        var settings: [String: String] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            let line = line.drop(while: \.isWhitespace)
            guard let first = line.first, first != "#", first != ";", let equals = line.firstIndex(of: "=") else {
                continue
            }
            var value = line[line.index(after: equals)...]
            while value.last?.isWhitespace == true { value.removeLast() }
            if value.count > 1, let quote = value.first, quote == "\"" || quote == "'", value.last == quote {
                value = value.dropFirst().dropLast()
            }
            let name = line[..<equals].split(whereSeparator: \.isWhitespace).first ?? ""
            settings[String(name)] = String(value)
        }
        return settings
    }
}

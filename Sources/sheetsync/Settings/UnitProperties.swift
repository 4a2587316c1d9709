import FoundationEssentials

/// What systemd gives to the installed unit: its own file, drop-ins and all.
struct UnitProperties {
    /// `Environment=`.
    private(set) var environment: [String: String] = [:]
    /// The paths of `EnvironmentFile=`, in their order.
    private(set) var environmentFiles: [String] = []
    /// The files of `LoadCredential=` by the credentials' names.
    private(set) var credentials: [String: String] = [:]

    private static let names = "LoadState,Environment,EnvironmentFiles,CacheDirectory,StateDirectory"

    /// Asks systemd; nil where it does not run here, or has no such unit.
    static func read(of unit: String) async -> UnitProperties? {
        guard let lines = await Systemctl.show(names, unit), lines.contains("LoadState=loaded"),
            let credentials = await Systemctl.property("LoadCredential", ofService: unit)
        else { return nil }
        return UnitProperties(lines, credentials: credentials)
    }

    /// Takes the properties from what `systemctl show` prints, a line each, and the credentials from what `busctl` prints of
    /// them: a type, a number, then names and paths in quotes.
    init(_ lines: [String], credentials text: String) {
        let words = Array(Self.words(text[...]).dropFirst(2))
        for index in stride(from: 1, to: words.count, by: 2) { credentials[words[index - 1]] = Self.path(words[index]) }
        for line in lines {
            guard let equals = line.firstIndex(of: "=") else { continue }
            let value = line[line.index(after: equals)...]
            switch line[..<equals] {
            case "Environment":
                environment = environment.merging(Self.words(value).compactMap(Self.pair)) { $1 }
            case "EnvironmentFiles":
                // A path, and in brackets whether the file may be missing.
                environmentFiles.append(
                    String(value.prefix(upTo: value.firstRange(of: " (")?.lowerBound ?? value.endIndex)))
            case "CacheDirectory" where !value.isEmpty:
                environment["CACHE_DIRECTORY"] = "/var/cache/\(value.prefix { $0 != " " })"
            case "StateDirectory" where !value.isEmpty:
                environment["STATE_DIRECTORY"] = "/var/lib/\(value.prefix { $0 != " " })"
            default: continue
            }
        }
    }

    /// A path as it is; a mere name is looked for where systemd looks for it.
    private static func path(_ name: String) -> String {
        guard !name.hasPrefix("/") else { return name }
        let places = ["/etc/credstore", "/run/credstore", "/usr/local/lib/credstore", "/usr/lib/credstore"]
        let paths = places.map { "\($0)/\(name)" }
        return paths.first { FileManager.default.fileExists(atPath: $0) } ?? paths[0]
    }

    private static func pair(_ word: String) -> (String, String)? {
        guard let equals = word.firstIndex(of: "=") else { return nil }
        return (String(word[..<equals]), String(word[word.index(after: equals)...]))
    }

    /// Words with spaces between, some in double quotes with backslashes before what is special there.
    private static func words(_ text: Substring) -> [String] {
        var words: [String] = []
        var word: String?
        var isQuoted = false
        var isEscaped = false
        for character in text {
            switch character {
            case _ where isEscaped:
                word = (word ?? "") + String(character)
                isEscaped = false
            case "\\" where isQuoted: isEscaped = true
            case "\"":
                isQuoted.toggle()
                word = word ?? ""
            case _ where character.isWhitespace && !isQuoted:
                if let word { words.append(word) }
                word = nil
            default: word = (word ?? "") + String(character)
            }
        }
        return word.map { words + [$0] } ?? words
    }
}

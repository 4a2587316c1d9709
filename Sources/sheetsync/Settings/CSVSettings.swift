import Export
import Glibc

extension SettingsReader {
    /// Where the rows of exports land that Google refuses for good; nil where nobody wants that.
    func csvFallback() throws -> CSVFallback? {
        guard try bool("GOOGLE_SHEETS_ENABLE_CSV_FALLBACK", default: false) else { return nil }
        let name = "SHEETSYNC_EXPORT_DIR"
        let limit = try int("SHEETSYNC_EXPORT_MAX_MB", default: 1024, in: 1...1_048_576) * 1_048_576
        let state = text("STATE_DIRECTORY")?.split(separator: ":").first.map(String.init)
        guard let directory = text(name) ?? state else {
            // The unit will have one when it runs.
            if case .unit = origin { return CSVFallback(directory: "/var/lib/sheetsync", limit: limit) }
            throw SettingsError(name: name, problem: "is not set, and GOOGLE_SHEETS_ENABLE_CSV_FALLBACK is true")
        }
        guard directory.hasPrefix("/"), unsafe access(directory, W_OK | X_OK) == 0 else {
            throw SettingsError(
                name: name, problem: "names no folder by its full path that can be written to", path: directory)
        }
        return CSVFallback(directory: directory, limit: limit)
    }
}

import Export
import Glibc

extension SettingsReader {
    /// Where the rows of exports land that Google refuses for good; nil where nobody wants that.
    func csvFallback() throws -> CSVFallback? {
        guard try bool("GOOGLE_SHEETS_ENABLE_CSV_FALLBACK", default: false) else { return nil }
        let name = "SHEETSYNC_EXPORT_DIR"
        let state = text("STATE_DIRECTORY")?.split(separator: ":").first.map(String.init)
        guard let directory = text(name) ?? state else {
            // The unit will have one when it runs.
            if case .unit = origin { return CSVFallback(directory: "/var/lib/sheetsync") }
            throw SettingsError(name: name, problem: "is not set, and GOOGLE_SHEETS_ENABLE_CSV_FALLBACK is true")
        }
        guard directory.hasPrefix("/"), unsafe access(directory, W_OK | X_OK) == 0 else {
            throw SettingsError(
                name: name, problem: "is \(directory), which is no folder by its full path that can be written to")
        }
        return CSVFallback(directory: directory)
    }
}

import Output

extension LogSettings {
    init(_ reader: SettingsReader) throws {
        do throws(Invalid) {
            try self.init(level: reader.text("LOG_LEVEL"), format: reader.text("LOG_FORMAT"))
        } catch {
            throw SettingsError(name: error.name, problem: error.problem)
        }
    }
}

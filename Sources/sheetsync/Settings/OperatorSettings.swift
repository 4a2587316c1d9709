/// What operators and their monitors see of a daemon.
struct OperatorSettings {
    /// Where the pages are served; nil: nowhere.
    let address: BindAddress?
    /// Whether somebody named that address, so that failing to have it is an error.
    let addressIsGiven: Bool
    let showsMetrics: Bool

    init(_ reader: SettingsReader) throws {
        let given = reader.text("SHEETSYNC_HTTP_ADDRESS")
        addressIsGiven = given != nil
        if reader.isEmptied("SHEETSYNC_HTTP_ADDRESS") {
            address = nil
        } else {
            guard let address = BindAddress(given ?? "127.0.0.1:8090") else {
                throw SettingsError(
                    name: "SHEETSYNC_HTTP_ADDRESS",
                    problem: "must be a host and a port, such as 127.0.0.1:8090 or [::1]:8090, or empty for no pages")
            }
            self.address = address
        }
        showsMetrics = try reader.bool("ENABLE_TELEMETRY", default: true)
    }
}

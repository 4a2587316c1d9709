/// What systemd gives to the process, where it was started as a unit.
struct UnitCheck {
    let environment: [String: String]

    func look(_ checkup: inout Checkup) {
        guard environment["INVOCATION_ID"] != nil || environment["CREDENTIALS_DIRECTORY"] != nil else { return }
        var facts = ["started by systemd"]
        if environment["CREDENTIALS_DIRECTORY"] != nil { facts.append("with credentials") }
        facts.append(environment["NOTIFY_SOCKET"] == nil ? "without a socket for notices" : "notices are heard")
        if let interval = environment["WATCHDOG_USEC"].flatMap({ Int($0) }) {
            facts.append("watchdog after \(interval / 1_000_000) s")
        }
        checkup.add(.ok, "unit", facts.joined(separator: ", "))
    }
}

/// Looks at the unit: what systemd gives to this process, or to a person what has become of the installed one.
struct UnitCheck {
    let environment: [String: String]

    func look(_ checkup: inout Checkup) async {
        if environment["INVOCATION_ID"] != nil, environment["NOTIFY_SOCKET"] != nil {
            var facts = ["started by systemd"]
            if environment["CREDENTIALS_DIRECTORY"] != nil { facts.append("with credentials") }
            if let interval = environment["WATCHDOG_USEC"].flatMap({ Int($0) }) {
                facts.append("watchdog after \(interval / 1_000_000) s")
            }
            return checkup.add(.ok, "unit", facts.joined(separator: ", "))
        }
        guard let state = await state(), state["LoadState"] == "loaded" else { return }
        let (level, words) = Self.judge(state)
        checkup.add(level, "unit", "\(Installation.unit) \(words)")
    }

    /// What systemd says about the unit, by the names of its properties.
    private func state() async -> [String: String]? {
        let names = "LoadState,ActiveState,SubState,Result,ExecMainStatus,NRestarts,StatusText"
        guard let lines = await Systemctl.show(names, Installation.unit) else { return nil }
        var state: [String: String] = [:]
        for line in lines {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            if parts.count == 2 { state[parts[0]] = parts[1] }
        }
        return state
    }

    /// Judges the unit by systemd's properties.
    static func judge(_ state: [String: String]) -> (Checkup.Level, String) {
        let log = "`journalctl -u sheetsync` says why"
        let code = state["ExecMainStatus"] ?? "0"
        switch state["ActiveState"] {
        case "active":
            let text = state["StatusText"] ?? ""
            return (.ok, "is active" + (text.isEmpty ? "" : ": \(text)"))
        case "failed":
            let end = state["Result"] == "exit-code" ? "with exit code \(code)" : "(\(state["Result"] ?? "unknown"))"
            return (.fail, "has failed \(end) and is not started again; \(log)")
        case "activating" where state["SubState"] == "auto-restart":
            return (.fail, "ends again and again, last with exit code \(code); \(log)")
        case "activating":
            let text = state["StatusText"] ?? ""
            return (.warn, "is starting" + (text.isEmpty ? "" : ": \(text)"))
        default:
            return (.warn, "is not started: `systemctl enable --now sheetsync`")
        }
    }
}

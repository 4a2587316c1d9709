/// Takes a database URL apart, so that libpq never quotes a piece of it (or of a password) in an error.
struct DatabaseURLParser {
    private static let parameters: Set<String> = [
        "application_name", "channel_binding", "client_encoding", "connect_timeout", "dbname", "gssencmode", "host",
        "hostaddr", "keepalives", "keepalives_count", "keepalives_idle", "keepalives_interval", "load_balance_hosts",
        "options", "passfile", "password", "port", "sslcert", "sslcrl", "sslkey", "sslmode", "sslpassword",
        "sslrootcert",
        "ssl_min_protocol_version", "ssl_max_protocol_version", "target_session_attrs", "tcp_user_timeout", "user",
    ]

    mutating func parse(_ url: String) throws(PostgresError) -> [String: String] {
        guard let separator = url.firstRange(of: "://") else { throw failure("is not a URL") }
        let scheme = url[..<separator.lowerBound]
        let base = scheme.split(separator: "+", maxSplits: 1, omittingEmptySubsequences: false)[0]
        guard base == "postgres" || base == "postgresql" else {
            throw failure("begins with \(scheme):// instead of postgres:// or postgresql://")
        }
        var rest = url[separator.upperBound...]
        if let fragment = rest.firstIndex(of: "#") { rest = rest[..<fragment] }
        let query = cut(&rest, at: rest.firstIndex(of: "?"))
        let path = cut(
            &rest, at: rest.lastIndex(of: "@").flatMap { rest[$0...].firstIndex(of: "/") } ?? rest.firstIndex(of: "/"))

        var settings: [String: String] = [:]
        if let path, !path.isEmpty { settings["dbname"] = try decoded(path, "database name") }
        try readAuthority(rest, into: &settings)
        for pair in query?.split(separator: "&") ?? [] { try readParameter(pair, into: &settings) }
        return settings
    }

    private func failure(_ reason: String) -> PostgresError {
        PostgresError(.configuration, "the database URL \(reason)")
    }

    /// Takes what stands behind a separator off the end.
    private func cut(_ text: inout Substring, at separator: Substring.Index?) -> Substring? {
        guard let separator else { return nil }
        defer { text = text[..<separator] }
        return text[text.index(after: separator)...]
    }

    private func readAuthority(_ authority: Substring, into settings: inout [String: String]) throws(PostgresError) {
        var hosts = authority
        if let at = authority.lastIndex(of: "@") {
            let user = authority[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            hosts = authority[authority.index(after: at)...]
            if !user[0].isEmpty { settings["user"] = try decoded(user[0], "user") }
            if user.count == 2 { settings["password"] = try decoded(user[1], "password") }
        }
        guard !hosts.isEmpty else { return }
        var names: [String] = []
        var ports: [String] = []
        for host in hosts.split(separator: ",", omittingEmptySubsequences: false) {
            let end = host.hasPrefix("[") ? host.firstIndex(of: "]") : host.startIndex
            guard let end else { throw failure("has an opening bracket without a closing one in its host") }
            let colon = host[end...].lastIndex(of: ":")
            let name = host[..<(colon ?? host.endIndex)].drop { $0 == "[" }
            names.append(try decoded(name.hasSuffix("]") ? name.dropLast() : name, "host"))
            let port = colon.map { String(host[host.index(after: $0)...]) } ?? ""
            guard port.isEmpty || UInt16(port) != nil else { throw failure("has a port that is no number up to 65535") }
            ports.append(port)
        }
        if names.contains(where: { !$0.isEmpty }) { settings["host"] = names.joined(separator: ",") }
        if ports.contains(where: { !$0.isEmpty }) { settings["port"] = ports.joined(separator: ",") }
    }

    private func readParameter(_ pair: Substring, into settings: inout [String: String]) throws(PostgresError) {
        let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = try decoded(parts[0], "parameter")
        let value = parts.count == 2 ? try decoded(parts[1], "parameter \(name)") : ""
        if name == "ssl" {
            settings["sslmode"] = ["true", "1", "on"].contains(value) ? "require" : value
        } else if Self.parameters.contains(name) {
            settings[name] = value
        } else {
            throw failure("has the parameter \(name), which is none of libpq's")
        }
    }

    private func decoded(_ text: Substring, _ part: String) throws(PostgresError) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16),
                code != 0
            else { throw failure("has a percent sign in its \(part) that two hexadecimal digits do not follow") }
            bytes.append(code)
            rest = rest.dropFirst(2)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw failure("has a \(part) that is not UTF-8")
        }
        return text
    }
}

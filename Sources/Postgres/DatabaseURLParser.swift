/// Takes a database URL apart, so that libpq never quotes a piece of it (or of a password) in an error.
struct DatabaseURLParser {
    /// What others than libpq read in such a URL, whose it is, and what to do where it cannot be left out; nil where it can.
    private static let foreign: [String: (owner: String, advice: String?)] = {
        var parameters: [String: (owner: String, advice: String?)] = [:]
        for name in [
            "connection_limit", "pool_timeout", "pgbouncer", "socket_timeout", "statement_cache_size", "schema",
            "single_use_connections",
        ] { parameters[name] = ("Prisma's", nil) }
        for name in [
            "prepared_statement_cache_size", "prepared_statement_name_func", "async_fallback", "command_timeout",
            "pool_size", "max_overflow", "pool_recycle", "pool_pre_ping",
        ] { parameters[name] = ("SQLAlchemy's", nil) }
        parameters["uselibpqcompat"] = ("node-postgres's", nil)
        let tls = "say it with sslmode and DATABASE_CA_CERT"
        parameters["sslaccept"] = ("Prisma's", tls)
        parameters["sslidentity"] = ("Prisma's", tls)
        parameters["server_settings"] = ("SQLAlchemy's", "`alter role … set` does the same")
        return parameters
    }()

    /// What was left out, in sentences.
    private(set) var warnings: [String] = []

    mutating func parse(_ url: String) throws(PostgresError) -> [String: String] {
        guard let separator = url.firstRange(of: "://") else { throw failure("is not a URL") }
        let scheme = url[..<separator.lowerBound]
        let base = scheme.split(separator: "+", maxSplits: 1, omittingEmptySubsequences: false)[0]
        guard base == "postgres" || base == "postgresql" else {
            throw failure("begins with \(scheme):// instead of postgres:// or postgresql://")
        }
        var rest = url[separator.upperBound...]
        // A fragment has no meaning here, so it is a password's.
        if rest.contains("#") { throw failure("has a # in it; in a user or password that is written %23") }
        let query = cut(&rest, at: rest.firstIndex(of: "?"))
        if let query, !rest.contains("@"), let at = query.firstIndex(of: "@") {
            let name = query[..<at].prefix { $0 != "=" }
            guard query[..<at].contains("="), Self.isKnown(String(name)) else {
                throw failure("has a ? before its host; in a user or password that is written %3F")
            }
        }
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

    private mutating func readParameter(_ pair: Substring, into settings: inout [String: String]) throws(PostgresError)
    {
        let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = try decoded(parts[0], "parameter")
        let value = parts.count == 2 ? try decoded(parts[1], "parameter \(name)") : ""
        if name == "ssl" {
            settings["sslmode"] = try sslMode(value)
        } else if LibpqParameters.names.contains(name) {
            settings[name] = value
        } else if let (owner, advice) = Self.foreign[name] {
            let words = "the parameter \(name), which is \(owner) and not libpq's"
            if let advice { throw failure("has \(words): \(advice)") }
            warnings.append("the database URL has \(words); it changes nothing here")
        } else if name.utf8.allSatisfy({ $0 == UInt8(ascii: "_") || ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x7A }) {
            throw failure("has the parameter \(name.prefix(60)), which is none of libpq's")
        } else {
            // It may be a piece of something else.
            throw failure("has a parameter that is none of libpq's")
        }
    }

    private static func isKnown(_ name: String) -> Bool {
        name == "ssl" || LibpqParameters.names.contains(name) || foreign[name] != nil
    }

    /// asyncpg's `ssl`, which takes libpq's words and truth values.
    private func sslMode(_ value: String) throws(PostgresError) -> String {
        switch value.lowercased() {
        case "true", "1", "on": "require"
        case "false", "0", "off": "disable"
        case "disable", "allow", "prefer", "require", "verify-ca", "verify-full": value.lowercased()
        default: throw failure("has an ssl that is none of libpq's modes, such as require and verify-full")
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

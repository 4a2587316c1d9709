/// Tells requests that were meant for a server on this machine or network from those that a foreign page sends by DNS rebinding.
///
/// Such a page has a name of its owner's, whose address becomes that of the server; its requests then carry that name.
public enum HostRule {
    /// Whether a request's `Host` names a host that this server cannot be.
    ///
    /// Addresses, names without a dot and names of zones that no public DNS has are no foreign page's. A request without the
    /// field is no browser's.
    ///
    /// - Parameter own: The host that the server was told to listen on.
    public static func isForeign(_ authority: String?, own: String) -> Bool {
        guard let authority = authority?.lowercased(), !authority.isEmpty else { return false }
        // Only addresses of version 6 have brackets.
        if authority.hasPrefix("[") { return false }
        var host = authority.prefix { $0 != ":" }
        if host.last == "." { host = host.dropLast() }
        if host == own.lowercased() || !host.contains(".") { return false }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        if parts.count == 4, parts.allSatisfy({ UInt8($0) != nil }) { return false }
        return !["localhost", "local", "internal", "test", "home.arpa"].contains { host.hasSuffix(".\($0)") }
    }
}

/// What can be said of an endpoint by its URL.
public enum Endpoint {
    /// Whether requests go over a network without encryption: `http`, and not to this machine's loopback.
    public static func isOpenToListeners(_ url: String) -> Bool {
        guard url.lowercased().hasPrefix("http://") else { return false }
        let host = host(of: url)
        return !(host == "localhost" || host.hasSuffix(".localhost") || host == "::1" || octets(host)?[0] == 127)
    }

    /// Whether it is an address of the same link (169.254.0.0/16), which no router passes on.
    static func isLinkLocal(_ url: String) -> Bool { octets(host(of: url))?.prefix(2) == [169, 254] }

    /// Whether it is an `http` or `https` URL with a host, and nothing in it that ends a line or hides a name before the host.
    static func isAbsolute(_ url: String) -> Bool {
        let isHTTP = ["http://", "https://"].contains { url.lowercased().hasPrefix($0) }
        return isHTTP && !host(of: url).isEmpty && !authority(of: url).contains("@")
            && url.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\\") }
    }

    private static func authority(of url: String) -> Substring {
        guard let scheme = url.firstRange(of: "://") else { return "" }
        return url[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    }

    private static func host(of url: String) -> String {
        let place = authority(of: url).lowercased().split(separator: "@", omittingEmptySubsequences: false).last ?? ""
        return String(place.hasPrefix("[") ? place.prefix { $0 != "]" }.dropFirst() : place.prefix { $0 != ":" })
    }

    /// The four numbers of an IPv4 address; nil for every other host.
    private static func octets(_ host: String) -> [UInt8]? {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        return parts.count == 4 && !parts.contains(nil) ? parts.compactMap(\.self) : nil
    }
}

/// The server on Google's own machines that gives out tokens of the service account that the machine runs as.
public struct MetadataServer: Sendable, Hashable {
    /// Its address on every machine of Google's; a name would ask the name server first.
    public static let defaultHost = "169.254.169.254"
    /// What stands in place of credentials that it gives.
    public static let word = "metadata"

    /// Where it answers, without a path.
    let baseURL: String

    /// Takes a host, with a port where it has one; nil for what is none.
    public init?(host: String) {
        let url = "http://\(host)"
        guard Endpoint.isAbsolute(url), !host.contains(where: { "/?#\\".contains($0) }), host.utf8.count <= 255 else {
            return nil
        }
        baseURL = url
    }

    /// The default one.
    public init() { baseURL = "http://\(Self.defaultHost)" }
}

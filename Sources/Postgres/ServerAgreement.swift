import Synchronization

/// The server that all connections of one configuration work with: the one that the last of them to lose its own has found.
///
/// After a failover a name may lead to the old server and to the new one for some time. Work that is claimed at one and ended at
/// the other would be done twice.
final class ServerAgreement: Sendable {
    private let server = Mutex<String?>(nil)

    /// A connection was opened, because it had none or has lost it, and its server takes writes.
    func move(to found: String) { server.withLock { $0 = found } }

    /// Whether the others work with another server.
    func isElsewhere(than server: String?) -> Bool {
        self.server.withLock { agreed in agreed != nil && server != nil && agreed != server }
    }
}

/// The system's journal, where this process's standard error leads to it.
public final class Journal: Sendable {
    private let socket: DatagramSocket

    /// Finds the journal; nil where standard error leads elsewhere, such as to a file or a terminal.
    ///
    /// - Parameter environment: This process's; `JOURNAL_STREAM` says which stream systemd connected to the journal.
    public convenience init?(environment: [String: String]) {
        guard let stream = environment["JOURNAL_STREAM"], stream == identityOfStandardError() else { return nil }
        self.init(socketPath: "/run/systemd/journal/socket")
    }

    init?(socketPath: String) {
        guard let socket = DatagramSocket(to: socketPath) else { return nil }
        self.socket = socket
    }

    /// Writes an entry; false where the journal does not take it.
    public func write(_ entry: JournalEntry) -> Bool { socket.send(entry.bytes) }
}

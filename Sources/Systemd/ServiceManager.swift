/// The service manager that started this process and wants to hear of it.
public final class ServiceManager: Sendable {
    /// How often it must hear that the process is not hung; nil where it does not ask.
    public let watchdogInterval: Duration?
    private let socket: DatagramSocket

    /// Reads the environment that systemd gives to a service; nil where nobody listens.
    ///
    /// - Parameter processID: This process's own, because the watchdog may be another process's.
    public init?(environment: [String: String], processID: Int32) {
        guard let path = environment["NOTIFY_SOCKET"], let socket = DatagramSocket(to: path) else { return nil }
        self.socket = socket
        let isMeant = environment["WATCHDOG_PID"].map { $0 == String(processID) } ?? true
        let interval = environment["WATCHDOG_USEC"].flatMap(Int.init)
        watchdogInterval = isMeant ? interval.flatMap { $0 > 0 ? .microseconds($0) : nil } : nil
    }

    /// Tells it something, all in one message; false where nobody listens any more.
    @discardableResult
    public func tell(_ notices: Notice...) -> Bool { tell(notices) }

    /// Tells it something, all in one message; false where nobody listens any more.
    @discardableResult
    public func tell(_ notices: [Notice]) -> Bool {
        let now = monotonicMicroseconds()
        return socket.send(Array(notices.map { $0.lines(monotonicMicroseconds: now) }.joined(separator: "\n").utf8))
    }
}

/// What a service tells the service manager about itself, after sd_notify(3).
public enum Notice: Sendable, Equatable {
    /// It has started, or has read its settings anew.
    case ready
    /// It reads its settings anew; `ready` ends that.
    case reloading
    /// It has begun to stop.
    case stopping
    /// What it does at the moment, for `systemctl status`.
    case status(String)
    /// It is not hung.
    case watchdog
    /// It needs more time for what it does, from now on.
    case extendTimeout(Duration)

    /// The notice's lines.
    func lines(monotonicMicroseconds: Int) -> String {
        switch self {
        case .ready: "READY=1"
        case .reloading: "RELOADING=1\nMONOTONIC_USEC=\(monotonicMicroseconds)"
        case .stopping: "STOPPING=1"
        // A line break would begin another notice.
        case .status(let text): "STATUS=\(text.split(whereSeparator: \.isNewline).joined(separator: " "))"
        case .watchdog: "WATCHDOG=1"
        case .extendTimeout(let time): "EXTEND_TIMEOUT_USEC=\(Int(time / .microseconds(1)))"
        }
    }
}

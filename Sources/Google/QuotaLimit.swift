import JSON

/// A quota that ran out, with what Google says of it: enough to set a limiter to the true value.
public struct QuotaLimit: Sendable, Hashable {
    /// The limit's name, such as `WriteRequestsPerMinutePerUser`.
    public let name: String
    /// What is counted, such as `sheets.googleapis.com/write_requests`.
    public let metric: String?
    /// How many are allowed in one window.
    public let value: Int?
    /// The window and what shares it, such as `1/min/{project}/{user}`.
    public let unit: String?
    /// When the window began.
    public let windowStart: Timestamp?

    /// Whether one identity used it up, not the whole Cloud project.
    public var isPerUser: Bool { name.hasSuffix("PerUser") }

    /// Whether the window is a minute, as far as the unit or the name tell.
    var isPerMinute: Bool { unit.map { $0.hasPrefix("1/min") } ?? name.contains("PerMinute") }

    /// Reads the metadata of an ErrorInfo; nil without a limit's name.
    init?(_ metadata: JSON?) {
        guard let name = metadata?["quota_limit"]?.string else { return nil }
        self.name = name
        metric = metadata?["quota_metric"]?.string
        value = metadata?["quota_limit_value"]?.string.flatMap { Int($0) }
            .flatMap { (0...1_000_000_000).contains($0) ? $0 : nil }
        unit = metadata?["quota_unit"]?.string
        windowStart = metadata?["window_start_time"]?.string.flatMap { Timestamp(rfc3339: $0) }
    }
}

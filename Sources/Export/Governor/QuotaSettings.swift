/// How many calls Google allows in a window, by the settings.
public struct QuotaSettings: Sendable, Equatable {
    /// Writes to Sheets by one identity.
    public var sheetsWritesPerUser = 60
    /// Writes to Sheets by all identities of the Cloud project.
    public var sheetsWritesPerProject = 300
    /// Reads of Sheets by one identity.
    public var sheetsReadsPerUser = 60
    /// Reads of Sheets by all identities of the Cloud project.
    public var sheetsReadsPerProject = 300
    /// The length of Google's window.
    public var window: Duration = .seconds(60)

    /// Makes the settings with Google's defaults.
    public init() {}

    /// How long a granted call may wait for its request, and how much longer than Google's the windows are for that.
    var slack: Duration { max(window / 60, .milliseconds(250)) }
}

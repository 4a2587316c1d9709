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
    /// New files of one identity in Drive.
    public var driveCreatesPerUser = 120
    /// The length of Google's window.
    public var window: Duration = .seconds(60)

    /// Makes the settings with Google's defaults.
    public init() {}

    /// How long calls that were granted may lie unused before they go back to the other workers.
    var slack: Duration { max(window / 60, .milliseconds(250)) }

    /// The calls in a window for one identity, and for the project where it has a limit of its own.
    func limits(of quota: QuotaKind) -> (user: Int, project: Int?) {
        switch quota {
        case .sheetsReads: (sheetsReadsPerUser, sheetsReadsPerProject)
        case .sheetsWrites: (sheetsWritesPerUser, sheetsWritesPerProject)
        // Google's own since May 2026.
        case .driveUnits: (325_000, 1_000_000)
        case .driveCreates: (driveCreatesPerUser, nil)
        }
    }
}

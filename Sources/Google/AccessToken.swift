/// What opens Drive and Sheets for up to an hour.
public struct AccessToken: Sendable, Hashable {
    /// Refreshed when no more than this is left, or half of a short life.
    private static let margin = Duration.seconds(300)
    /// With less than this left, or a quarter of a short life, a call might arrive after the end.
    private static let shortestUse = Duration.seconds(30)

    /// What a token is asked for: folders and sharing need Drive, the data Sheets.
    static let neededScopes = [
        "https://www.googleapis.com/auth/drive", "https://www.googleapis.com/auth/spreadsheets",
    ]

    /// What a person may allow instead: the files that were made with this OAuth client.
    static let ownFilesScope = "https://www.googleapis.com/auth/drive.file"

    /// What a token is asked for that only makes others, in the name of service accounts.
    static let scopesToImpersonate = ["https://www.googleapis.com/auth/cloud-platform"]

    /// The token.
    public let secret: Secret
    /// The needed scopes that Google did not grant, as far as it says what it granted.
    public let missingScopes: [String]
    /// Whether it is good for no other files than those that were made with the same OAuth client.
    public let isForOwnFiles: Bool
    /// The Cloud project that calls are counted for; nil for the identity's own.
    public let quotaProject: String?
    private let end: ContinuousClock.Instant
    private let staleFrom: ContinuousClock.Instant
    private let unusableFrom: ContinuousClock.Instant

    /// Makes a token that was asked for at a certain moment and lives for a certain time.
    init(
        _ secret: Secret, from start: ContinuousClock.Instant, lifetime: Duration, scopes: Set<String>? = nil,
        quotaProject: String? = nil
    ) {
        self.secret = secret
        self.quotaProject = quotaProject
        isForOwnFiles = scopes.map { $0.contains(Self.ownFilesScope) && !$0.contains(Self.neededScopes[0]) } ?? false
        missingScopes = scopes.map { granted in Self.neededScopes.filter { !granted.contains($0) } } ?? []
        end = start + lifetime
        staleFrom = start + lifetime - min(Self.margin, lifetime / 2)
        unusableFrom = start + lifetime - min(Self.shortestUse, lifetime / 4)
    }

    /// How long Google takes it yet.
    public func timeLeft(at now: ContinuousClock.Instant = .now) -> Duration { end - now }

    func isStale(at now: ContinuousClock.Instant) -> Bool { now >= staleFrom }
    func isUsable(at now: ContinuousClock.Instant) -> Bool { now < unusableFrom }
}

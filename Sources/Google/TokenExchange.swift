import Arithmetic
import HTTP
import HTTPTypes
import JSON
import Logging
import Synchronization

/// Makes an access token of credentials, with a few tries; what it learns on the way serves the next time.
final class TokenExchange: Sendable {
    private struct Knowledge {
        /// The last credentials that could be read.
        var credentials: Credentials?
        /// How far Google's clock is ahead of this machine's, in seconds.
        var clockOffset = 0
        /// The refresh token in the file and the one that Google gave in its place.
        var rotation: (from: Secret, to: Secret)?
    }

    private static let attempts = 4
    /// A longer wait is left to the caller, who has other things to do.
    private static let longestWait = Duration.seconds(30)
    /// Smaller differences between the clocks are no reason for a refusal.
    private static let smallestSkew = 5

    private let http: HTTPClient
    private let logger: Logger
    private let backoff: Backoff
    private let clocks: Clocks
    private let onRotation: @Sendable (Secret) -> Void
    private let load: @Sendable () throws(CredentialsError) -> Credentials
    private let knowledge = Mutex(Knowledge())

    init(
        http: HTTPClient, logger: Logger, backoff: Backoff, clocks: Clocks,
        onRotation: @escaping @Sendable (Secret) -> Void,
        load: @escaping @Sendable () throws(CredentialsError) -> Credentials
    ) {
        self.http = http
        self.logger = logger
        self.backoff = backoff
        self.clocks = clocks
        self.onRotation = onRotation
        self.load = load
    }

    /// Goes the way of the credentials to a token, from what they say now.
    func run() async throws(GoogleError) -> AccessToken {
        let credentials = try currentCredentials()
        let (grant, start) = try await grant(for: credentials.kind, AccessToken.neededScopes)
        return AccessToken(
            grant.accessToken, from: start, lifetime: grant.lifetime, scopes: grant.scopes,
            quotaProject: credentials.quotaProject)
    }

    /// Goes one way to a token for some scopes, step by step.
    ///
    /// - Parameter name: What the way's last step is called where it is not the only one.
    private func grant(
        for kind: Credentials.Kind, _ scopes: [String], named name: String? = nil
    ) async throws(GoogleError) -> (grant: TokenGrant, start: ContinuousClock.Instant) {
        switch kind {
        case .serviceAccount(let account):
            return try await take(AssertionStep(account: account, scopes: scopes), named: name)
        case .authorizedUser(let user):
            let user = current(user)
            let (grant, start) = try await take(RefreshStep(user: user), named: name)
            noteRotation(grant, of: user)
            return (grant, start)
        case .externalAccount(let account):
            let token = try await subjectToken(of: account)
            return try await take(
                ExchangeStep(account: account, subjectToken: token, scopes: scopes), named: "Token exchange (STS)")
        case .impersonation(let impersonation):
            let (source, _) = try await grant(
                for: impersonation.source, AccessToken.scopesToImpersonate, named: "Source credentials")
            return try await take(
                ImpersonationStep(impersonation: impersonation, token: source.accessToken, scopes: scopes),
                named: "Impersonation of \(impersonation.email)")
        case .metadataServer(let server):
            return try await take(MetadataStep(server: server, scopes: scopes), named: "Metadata server")
        }
    }

    /// The token by which another identity provider vouches for this workload.
    private func subjectToken(of account: ExternalAccount) async throws(GoogleError) -> Secret {
        let name = "Subject token"
        switch account.source {
        case .url(let url, let headers):
            return try await take(SubjectTokenStep(account: account, url: url, headers: headers), named: name).grant
        case .file(let path):
            do throws(CredentialsError) {
                guard let token = account.subjectToken(in: Array(try CredentialsFile(path: path).text.utf8)) else {
                    throw CredentialsError(
                        .missingField, path, "holds no token; check the \"format\" of \"credential_source\"")
                }
                return token
            } catch { throw GoogleError(error).during(name) }
        }
    }

    /// Takes one step, and tries again after faults that pass.
    private func take<Step: TokenStep>(
        _ step: Step, named name: String?
    ) async throws(GoogleError) -> (grant: Step.Grant, start: ContinuousClock.Instant) {
        var generator = SystemRandomNumberGenerator()
        var mayCorrectClock = true
        var attempt = 0
        while true {
            let start = clocks.steady()
            let failure: GoogleError
            switch await send(step) {
            case .failure(let error): failure = error
            case .success(let answer):
                if answer.status == .ok, let grant = step.grant(in: answer) { return (grant, start) }
                failure = step.failure(answer)
                if failure.code == .clockSkew, mayCorrectClock, correctClock(by: answer) {
                    mayCorrectClock = false
                    continue
                }
            }
            guard let delay = delay(after: failure, attempt: attempt, using: &generator) else {
                throw name.map(failure.during) ?? failure
            }
            attempt += 1
            try? await Task.sleep(for: delay)
        }
    }

    /// How long to wait before the next try; nil when there should be none.
    private func delay(
        after failure: GoogleError, attempt: Int, using generator: inout some RandomNumberGenerator
    ) -> Duration? {
        guard attempt + 1 < Self.attempts, failure.code != .cancelled else { return nil }
        switch failure.retry {
        case .never, .slowly, .wait: return nil
        case .backoff: return backoff.delay(attempt: attempt, using: &generator)
        case .after(let duration):
            return duration <= Self.longestWait
                ? backoff.delay(attempt: attempt, atLeast: duration, using: &generator) : nil
        }
    }

    /// The credentials as they stand now, or the last good ones while they cannot be read.
    private func currentCredentials() throws(GoogleError) -> Credentials {
        do {
            let credentials = try load()
            knowledge.withLock { $0.credentials = credentials }
            return credentials
        } catch {
            guard let known = knowledge.withLock(\.credentials) else {
                throw GoogleError(error)
            }
            logger.warning("the credentials could not be read again, the earlier ones stay in use: \(error)")
            return known
        }
    }

    /// The user with the newest refresh token: the file may be read-only, and then only this process knows it.
    private func current(_ user: AuthorizedUser) -> AuthorizedUser {
        guard let (from, to) = knowledge.withLock(\.rotation), user.refreshToken == from else { return user }
        var user = user
        user.refreshToken = to
        return user
    }

    /// Sends the request of one step.
    private func send(_ step: some TokenStep) async -> Result<HTTPClient.Response, GoogleError> {
        let now = Timestamp(seconds: clocks.wall().seconds + knowledge.withLock(\.clockOffset))
        let request: HTTPClient.Request
        do { request = try step.request(at: now) } catch {
            return .failure(GoogleError(error))
        }
        do { return .success(try await http.send(request)) } catch {
            var failure = GoogleError(error)
            // A token more or less changes nothing at Google.
            failure.mayHaveTakenEffect = false
            return .failure(failure)
        }
    }

    /// Takes the time from Google's answer; false when this machine's clock cannot be the reason for the refusal.
    private func correctClock(by answer: HTTPClient.Response) -> Bool {
        guard let theirs = answer.fields[.date].flatMap({ Timestamp(httpDate: $0) }) else { return false }
        let offset = theirs.seconds - clocks.wall().seconds
        let isNews = knowledge.withLock { knowledge in
            defer { knowledge.clockOffset = offset }
            return abs(offset - knowledge.clockOffset) >= Self.smallestSkew
        }
        if isNews {
            logger.warning("this machine's clock is \(-offset) s ahead of Google's; assertions carry Google's time")
        }
        return isNews
    }

    /// Remembers a refresh token that Google gave in place of the one in the file, and passes it on.
    private func noteRotation(_ grant: TokenGrant, of user: AuthorizedUser) {
        guard let new = grant.refreshToken, new != user.refreshToken else { return }
        knowledge.withLock { knowledge in
            // The file still holds what it held before an earlier rotation, unless that one was written into it.
            let stored = knowledge.rotation.flatMap { $0.to == user.refreshToken ? $0.from : nil }
            knowledge.rotation = (stored ?? user.refreshToken, new)
        }
        onRotation(new)
    }
}

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

    /// Exchanges, and tries again after faults that pass.
    func run() async throws(GoogleError) -> AccessToken {
        let credentials = try currentCredentials()
        var generator = SystemRandomNumberGenerator()
        var mayCorrectClock = true
        var attempt = 0
        while true {
            let start = clocks.steady()
            let failure: GoogleError
            switch await send(credentials) {
            case .failure(let error): failure = error
            case .success(let answer):
                if answer.status == .ok, let grant = TokenGrant(answer.body) {
                    noteRotation(grant, of: credentials)
                    return AccessToken(
                        grant.accessToken, from: start, lifetime: grant.lifetime, scopes: grant.scopes)
                }
                failure = GoogleError(
                    tokenStatus: answer.status.code, fields: answer.fields, body: answer.body, for: credentials)
                if failure.code == .clockSkew, mayCorrectClock, correctClock(by: answer) {
                    mayCorrectClock = false
                    continue
                }
            }
            guard let delay = delay(after: failure, attempt: attempt, using: &generator) else { throw failure }
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
            var credentials = try load()
            knowledge.withLock { knowledge in
                // The file may be read-only: then Google's newer token is known to this process alone.
                if case .authorizedUser(var user) = credentials, let (from, to) = knowledge.rotation,
                    user.refreshToken == from
                {
                    user.refreshToken = to
                    credentials = .authorizedUser(user)
                }
                knowledge.credentials = credentials
            }
            return credentials
        } catch {
            guard let known = knowledge.withLock(\.credentials) else {
                throw GoogleError(error)
            }
            logger.warning("the credentials could not be read again, the earlier ones stay in use: \(error)")
            return known
        }
    }

    /// Sends one request for a token.
    private func send(_ credentials: Credentials) async -> Result<HTTPClient.Response, GoogleError> {
        let now = Timestamp(seconds: clocks.wall().seconds + knowledge.withLock(\.clockOffset))
        let request: HTTPClient.Request
        do { request = try TokenRequest.make(for: credentials, at: now) } catch {
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
    private func noteRotation(_ grant: TokenGrant, of credentials: Credentials) {
        guard case .authorizedUser(var user) = credentials, let new = grant.refreshToken, new != user.refreshToken
        else { return }
        knowledge.withLock { knowledge in
            // The file still holds what it held before an earlier rotation, unless that one was written into it.
            let stored = knowledge.rotation.flatMap { $0.to == user.refreshToken ? $0.from : nil }
            knowledge.rotation = (stored ?? user.refreshToken, new)
            user.refreshToken = new
            knowledge.credentials = .authorizedUser(user)
        }
        onRotation(new)
    }
}

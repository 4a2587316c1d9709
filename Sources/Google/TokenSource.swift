import Arithmetic
public import HTTP
import HTTPTypes
import JSON
public import Logging
import Synchronization

/// Gives out an access token and keeps it fresh: one exchange serves everybody who waits.
///
/// A token is renewed some minutes before its end, while the old one is still given out. The credentials are read anew for
/// each exchange, so that a replaced key file is picked up.
public final class TokenSource: Sendable {
    private typealias Waiter = CheckedContinuation<Result<AccessToken, GoogleError>, Never>

    private struct State {
        var token: AccessToken?
        var isRefreshing = false
        var waiters: [Int: Waiter] = [:]
        var nextWaiter = 0
    }

    private let exchange: TokenExchange
    private let logger: Logger
    private let onRenewal: @Sendable (AccessToken) -> Void
    private let state = Mutex(State())

    private let clocks: Clocks

    /// Makes a source that has no token yet.
    ///
    /// - Parameters:
    ///   - http: sends the exchanges.
    ///   - logger: is told of failed exchanges and of a wrong clock.
    ///   - onRotation: is given a user's new refresh token when Google replaces the old one.
    ///   - onRenewal: is told of each new access token, at once.
    ///   - load: reads the credentials, before each exchange.
    public convenience init(
        http: HTTPClient, logger: Logger, onRotation: @escaping @Sendable (Secret) -> Void = { _ in },
        onRenewal: @escaping @Sendable (AccessToken) -> Void = { _ in },
        load: @escaping @Sendable () throws(CredentialsError) -> Credentials
    ) {
        self.init(
            http: http, logger: logger, backoff: Backoff(base: .seconds(1), ceiling: .seconds(8)), clocks: Clocks(),
            onRotation: onRotation, onRenewal: onRenewal, load: load)
    }

    init(
        http: HTTPClient, logger: Logger, backoff: Backoff, clocks: Clocks,
        onRotation: @escaping @Sendable (Secret) -> Void,
        onRenewal: @escaping @Sendable (AccessToken) -> Void = { _ in },
        load: @escaping @Sendable () throws(CredentialsError) -> Credentials
    ) {
        self.logger = logger
        self.onRenewal = onRenewal
        self.clocks = clocks
        exchange = TokenExchange(
            http: http, logger: logger, backoff: backoff, clocks: clocks, onRotation: onRotation, load: load)
    }

    /// An access token that is good for the next call.
    ///
    /// Cancelling the task ends its wait at once and leaves the exchange to the others.
    public func token() async throws(GoogleError) -> AccessToken {
        let (known, mustRefresh) = state.withLock { state in
            let now = clocks.steady()
            guard let token = state.token, token.isUsable(at: now) else { return (AccessToken?.none, false) }
            return (token, token.isStale(at: now) && Self.beginRefresh(&state))
        }
        if mustRefresh { startRefresh() }
        if let known { return known }
        return try await wait().get()
    }

    /// Forgets a token that Google did not accept (401), unless it has been replaced meanwhile.
    public func invalidate(_ token: AccessToken) {
        state.withLock { state in
            if state.token == token { state.token = nil }
        }
    }

    /// Forgets the token that it has, so that the next call reads the credentials anew.
    public func renew() { state.withLock { $0.token = nil } }

    private func wait() async -> Result<AccessToken, GoogleError> {
        let number = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (answer, mustRefresh) = state.withLock { state in
                    // Whoever cancels marks the task before calling the handler, so none of the two can be missed.
                    if Task.isCancelled { return (Result<AccessToken, GoogleError>?.some(Self.cancelled), false) }
                    if let token = state.token, token.isUsable(at: clocks.steady()) { return (.success(token), false) }
                    state.waiters[number] = continuation
                    return (nil, Self.beginRefresh(&state))
                }
                if let answer { continuation.resume(returning: answer) }
                if mustRefresh { startRefresh() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: number) }?.resume(returning: Self.cancelled)
        }
    }

    private static let cancelled = Result<AccessToken, GoogleError>.failure(GoogleError(.cancelled, retry: .backoff))

    /// Marks a refresh as under way; false when one is already.
    private static func beginRefresh(_ state: inout State) -> Bool {
        defer { state.isRefreshing = true }
        return !state.isRefreshing
    }

    /// Runs one exchange in a task of its own, which no caller's cancellation reaches.
    private func startRefresh() {
        Task.detached {
            let result: Result<AccessToken, GoogleError>
            do throws(GoogleError) {
                let token = try await self.exchange.run()
                self.onRenewal(token)
                result = .success(token)
            } catch {
                if error.code != .cancelled {
                    self.logger.error("no access token: \(error)", metadata: ["code": "\(error.code.rawValue)"])
                }
                result = .failure(error)
            }
            let waiters = self.state.withLock { state in
                if case .success(let token) = result { state.token = token }
                state.isRefreshing = false
                defer { state.waiters = [:] }
                return state.waiters
            }
            for waiter in waiters.values { waiter.resume(returning: result) }
        }
    }
}

/// An HTTP client on libcurl: HTTP/2 where the server speaks it, connections reused, one thread for any number of requests.
///
/// The thread sleeps in the kernel while nothing is to be done. Redirects are not followed and nothing is retried: whoever
/// asks decides. Proxies are taken from the environment (`https_proxy`, `no_proxy`), trusted certificates from the system.
public final class HTTPClient: Sendable {
    private let commands: CommandQueue

    /// Starts the client's thread.
    ///
    /// - Parameters:
    ///   - userAgent: sent with every request; Google compresses answers only for one that contains `gzip`.
    ///   - authorities: certificates in PEM that are trusted beside the system's; nil for none.
    public init(userAgent: String, authorities: String? = nil) throws(HTTPError) {
        guard let multi = MultiHandle() else { throw HTTPError(.failed, detail: "libcurl could not be set up") }
        let commands = CommandQueue(wakingUp: multi)
        let trustStore = authorities.map(TrustStore.init(adding:))
        self.commands = commands
        // Formed here, outside any actor: the closure runs on a thread that Swift's executors know nothing of.
        guard
            Thread.start({
                TransferLoop(multi: multi, commands: commands, userAgent: userAgent, trustStore: trustStore).run()
            })
        else {
            throw HTTPError(.failed, detail: "the operating system refused another thread")
        }
    }

    deinit { commands.stop() }

    /// Sends one request and waits for the whole answer, whatever its status.
    ///
    /// Cancelling the task aborts the transfer at once and throws `HTTPError` with the code `cancelled`.
    public func send(_ request: Request) async throws(HTTPError) -> Response {
        // libcurl would guess a scheme.
        guard request.isEncrypted != nil else { throw HTTPError(.invalidURL, host: request.host) }
        let id = RequestID()
        let result: Result<Response, HTTPError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let pending = PendingRequest(id: id, request: request, continuation: continuation)
                if !commands.submit(.start(pending)) {
                    continuation.resume(returning: .failure(HTTPError(.closed, host: request.host)))
                }
            }
        } onCancel: {
            // The mark is for a cancellation that comes before the start, the command for one that comes after it.
            id.cancel()
            _ = commands.submit(.cancel(id))
        }
        return try result.get()
    }

    /// Returns as soon as the client's thread has come round, and at once where it has ended; for a watchdog.
    public func ping() async {
        await withCheckedContinuation { continuation in
            if !commands.submit(.ping(continuation)) { continuation.resume() }
        }
    }

    /// Aborts what is under way, closes the connections and ends the thread; returns when that is done.
    ///
    /// Requests that wait, and all later ones, fail with the code `closed`.
    public func shutdown() async {
        await withCheckedContinuation { commands.stop($0) }
    }
}

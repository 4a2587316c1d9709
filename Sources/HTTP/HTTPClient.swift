/// An HTTP client on libcurl: HTTP/2 where the server speaks it, connections reused, one thread for any number of requests.
///
/// The thread sleeps in the kernel while nothing is to be done. Redirects are not followed and nothing is retried: whoever
/// asks decides. Proxies are taken from the environment (`https_proxy`, `no_proxy`), trusted certificates from the system.
public final class HTTPClient: Sendable {
    private let inbox: Inbox

    /// Starts the client's thread.
    ///
    /// - Parameters:
    ///   - userAgent: sent with every request; Google compresses answers only for one that contains `gzip`.
    ///   - authorities: certificates in PEM that are trusted beside the system's; nil for none.
    public init(userAgent: String, authorities: String? = nil) throws(HTTPError) {
        guard let multi = MultiHandle() else { throw HTTPError(.failed, detail: "libcurl could not be set up") }
        let inbox = Inbox(wakingUp: multi)
        let trustStore = authorities.map(TrustStore.init(adding:))
        self.inbox = inbox
        // Formed here, outside any actor: the closure runs on a thread that Swift's executors know nothing of.
        guard
            Thread.start({
                TransferLoop(multi: multi, inbox: inbox, userAgent: userAgent, trustStore: trustStore).run()
            })
        else {
            throw HTTPError(.failed, detail: "the operating system refused another thread")
        }
    }

    deinit { inbox.stop() }

    /// Sends one request and waits for the whole answer, whatever its status.
    ///
    /// Cancelling the task aborts the transfer at once and throws `HTTPError` with the code `cancelled`.
    public func send(_ request: Request) async throws(HTTPError) -> Response {
        // libcurl would guess a scheme.
        guard request.isEncrypted != nil else { throw HTTPError(.invalidURL, host: request.host) }
        let ticket = Ticket()
        let result: Result<Response, HTTPError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let order = Order(ticket: ticket, request: request, continuation: continuation)
                if !inbox.submit(.start(order)) {
                    continuation.resume(returning: .failure(HTTPError(.closed, host: request.host)))
                }
            }
        } onCancel: {
            // The mark is for a cancellation that comes before the start, the command for one that comes after it.
            ticket.cancel()
            _ = inbox.submit(.cancel(ticket))
        }
        return try result.get()
    }

    /// Returns as soon as the client's thread has come round, and at once where it has ended; for a watchdog.
    public func answer() async {
        await withCheckedContinuation { continuation in
            if !inbox.submit(.answer(continuation)) { continuation.resume() }
        }
    }

    /// Aborts what is under way, closes the connections and ends the thread; returns when that is done.
    ///
    /// Requests that wait, and all later ones, fail with the code `closed`.
    public func shutdown() async {
        await withCheckedContinuation { inbox.stop($0) }
    }
}

internal import CCurl
import HTTPTypes

/// One request under way, on the client's thread.
final class Transfer {
    let pending: PendingRequest
    let easy: EasyHandle

    private var head = ResponseHead()
    private var body: [UInt8] = []
    private var sent = 0
    private var isTooLarge = false
    private var isRefused = false
    /// Set right before the first byte of the request may be sent.
    private var began = false

    init(_ pending: PendingRequest, on easy: EasyHandle) {
        self.pending = pending
        self.easy = easy
    }

    /// What libcurl's end of the transfer means.
    func result(_ outcome: CURLcode) -> Result<HTTPClient.Response, HTTPError> {
        if isTooLarge { return .failure(error(.answerTooLarge)) }
        if isRefused { return .failure(error(.cancelled)) }
        guard outcome == CURLE_OK else {
            return .failure(error(HTTPError.Code(outcome, began: began), detail: easy.errorText(outcome)))
        }
        guard head.isComplete, let status = head.status else { return .failure(error(.connectionLost)) }
        return .success(HTTPClient.Response(status: status, fields: head.fields, body: body))
    }

    /// An error of this transfer.
    func error(_ code: HTTPError.Code, detail: String = "") -> HTTPError {
        HTTPError(code, host: pending.request.host, detail: detail, mayHaveReachedServer: began)
    }
}

/// What libcurl's callbacks ask for.
extension Transfer {
    /// Notes that from now on the server may have seen the request; false aborts the transfer before that.
    func begin() -> Bool {
        began = mayGoOn()
        return began
    }

    /// Takes one line of the answer's head; false aborts the transfer.
    func receive(line: some Collection<UInt8>) -> Bool {
        isTooLarge = !head.take(line: line)
        return !isTooLarge
    }

    /// Takes a piece of the answer's body; false aborts the transfer.
    func receive(body piece: some Collection<UInt8>) -> Bool {
        guard piece.count <= pending.request.largestAnswer - body.count else {
            isTooLarge = true
            return false
        }
        body += piece
        return true
    }

    /// The next bytes of the request's body, none at its end; nil aborts the transfer.
    func nextPiece(atMost count: Int) -> ArraySlice<UInt8>? {
        guard mayGoOn() else { return nil }
        let piece = pending.request.body[sent...].prefix(count)
        sent += piece.count
        return piece
    }

    private func mayGoOn() -> Bool {
        isRefused = !pending.request.condition()
        return !isRefused
    }
}

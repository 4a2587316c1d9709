public import HTTP

extension HTTPError {
    /// What happened, and which setting helps where Google's certificate is not trusted.
    public var wordsForGoogle: String {
        guard code == .tls else { return "\(self)" }
        return "\(self). A proxy that opens TLS shows certificates of its company's authority; GOOGLE_CA_CERT names it"
    }
}

/// What it means that no answer came.
extension GoogleError {
    init(_ error: HTTPError) {
        let code: Code
        let retry: Retry
        switch error.code {
        case .invalidURL: (code, retry) = (.badEndpoint, .never)
        case .cancelled, .closed: (code, retry) = (.cancelled, .backoff)
        case .answerTooLarge: (code, retry) = (.answerTooLarge, .never)
        case .badAnswer: (code, retry) = (.badAnswer, .backoff)
        case .timedOut where error.mayHaveReachedServer: (code, retry) = (.timedOut, .backoff)
        case .connectionLost where error.mayHaveReachedServer: (code, retry) = (.connectionLost, .backoff)
        case .resolve, .connect, .tls, .timedOut, .connectionLost, .failed: (code, retry) = (.unreachable, .backoff)
        }
        self.init(
            code, message: "\(code.message) What happened: \(error.wordsForGoogle).", retry: retry,
            mayHaveTakenEffect: error.mayHaveReachedServer)
    }
}

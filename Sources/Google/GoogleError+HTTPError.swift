import HTTP

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
            code, message: "\(code.message) What happened: \(error).", retry: retry,
            mayHaveTakenEffect: error.mayHaveReachedServer)
    }
}

public import HTTP
import HTTPTypes
public import JSON

/// Calls Drive and Sheets with an access token and turns each answer into JSON or an error.
///
/// It repeats nothing but a call that was refused for its token (401) or, perhaps, for its compressed body, each once.
/// Whatever else failed is the caller's to try again. Each call goes through a gate, which may let it wait.
public struct APIClient: Sendable {
    private let http: HTTPClient
    private let tokens: TokenSource
    private let endpoint: String?
    private var gate: any CallGate
    private let coding: BodyCoding
    let traits: GoogleTraits
    private static let quotaProject = HTTPField.Name("x-goog-user-project")
    private var observer: @Sendable (APICall) -> Void = { _ in }
    private var mayCall: @Sendable () -> Bool = { true }
    private var rehearsal: (@Sendable (APIRequest) -> Void)?

    /// Makes a client.
    ///
    /// - Parameters:
    ///   - endpoint: one base URL in place of Google's two, such as an emulator's; paths stay the same.
    ///   - gate: what calls go through; the default lets all pass.
    ///   - traits: what is known of Google already.
    public init(
        http: HTTPClient, tokens: TokenSource, endpoint: String? = nil, gate: any CallGate = OpenGate(),
        traits: GoogleTraits = GoogleTraits()
    ) {
        self.traits = traits
        coding = BodyCoding(isRefused: !traits.takesPackedBodies)
        self.http = http
        self.tokens = tokens
        self.gate = gate
        self.endpoint = endpoint.map { String($0.reversed().drop { $0 == "/" }.reversed()) }
    }

    /// The same client, which tells one more observer of each HTTP exchange, failed ones included.
    public func observed(by observer: @escaping @Sendable (APICall) -> Void) -> APIClient {
        var copy = self
        copy.observer = { [earlier = self.observer] call in
            earlier(call)
            observer(call)
        }
        return copy
    }

    /// The same client, whose calls go through another gate.
    public func gated(by gate: any CallGate) -> APIClient {
        var copy = self
        copy.gate = gate
        return copy
    }

    /// The same client, which sends nothing any more once the condition is false, not even the rest of a request.
    public func sending(while condition: @escaping @Sendable () -> Bool) -> APIClient {
        var copy = self
        copy.mayCall = condition
        return copy
    }

    /// The same client for a rehearsal: it tells of each call, and answers those that would change something with an empty
    /// object in place of sending them.
    public func rehearsing(_ observer: @escaping @Sendable (APIRequest) -> Void) -> APIClient {
        var copy = self
        copy.rehearsal = observer
        return copy
    }

    /// Makes a call and reads its answer; an empty one is `null`.
    public func call(_ request: APIRequest) async throws(GoogleError) -> JSON {
        if let rehearsal {
            rehearsal(request)
            guard request.isRead else { return [:] }
        }
        do { return try await attempt(request) } catch {
            // A read changes nothing, however it ends.
            guard request.isRead else { throw error }
            var error = error
            error.mayHaveTakenEffect = false
            throw error
        }
    }

    /// Gets an access token, unless there is a good one.
    public func signIn() async throws(GoogleError) { _ = try await token() }

    /// Asks a service something harmless: whether it answers, be it with a refusal.
    public func answers(_ service: APIRequest.Service) async -> Bool {
        let request =
            switch service {
            case .drive: APIRequest(.drive, .get, "/drive/v3/about", fields: "kind")
            case .sheets: APIRequest(.sheets, .get, APIRequest.sheetsPath("sheetsync-probe"), fields: "spreadsheetId")
            }
        do throws(GoogleError) {
            _ = try await call(request)
            return true
        } catch {
            return !error.code.isFaultOfService && !error.code.concernsInstallation && error.code != .cancelled
        }
    }

    /// What an answer found fault with that the client mends by itself.
    private enum Objection { case token, coding }

    private func attempt(_ request: APIRequest) async throws(GoogleError) -> JSON {
        var token = try await token()
        var objections: Set<Objection> = []
        while true {
            let packed =
                request.mayBePacked && !objections.contains(.coding) ? request.body.flatMap(coding.packed) : nil
            var objection: Objection?
            let json = try await admitted(to: request.resource) { () throws(GoogleError) in
                let answer = try await send(request, packed: packed, with: token)
                if answer.status == .unauthorized, !objections.contains(.token) {
                    objection = .token
                } else if packed != nil, coding.mayRefuse(answer.status) {
                    objection = .coding
                }
                return objection == nil ? try read(answer, request.answerLimit) : .null
            }
            switch objection {
            case nil:
                if packed != nil || objections.contains(.coding) { coding.understood(isPacked: packed != nil) }
                return json
            case .token?:
                tokens.invalidate(token)
                // Outside of the first admission, or a fault of the token endpoint would count as one of this service.
                token = try await self.token()
            case .coding?: break
            }
            if let objection { objections.insert(objection) }
        }
    }

    private func token() async throws(GoogleError) -> AccessToken {
        try await admitted(to: .identity) { () throws(GoogleError) in try await tokens.token() }
    }

    private func read(_ answer: HTTPClient.Response, _ limit: AnswerLimit) throws(GoogleError) -> JSON {
        guard answer.status.kind == .successful else { throw failure(answer) }
        if answer.body.isEmpty { return .null }
        do throws(JSONError) {
            return try JSON(parsing: answer.body, mostValues: limit.values, longestTree: limit.longestTree)
        } catch {
            guard error.isTooManyValues else { throw failure(answer) }
            throw GoogleError(.answerTooLarge, retry: .never, mayHaveTakenEffect: true)
        }
    }

    /// Does something when the gate lets it, and tells the gate how it ended.
    private func admitted<Result: Sendable>(
        to resource: GoogleResource, _ body: () async throws(GoogleError) -> Result
    ) async throws(GoogleError) -> Result {
        try await gate.admit(resource)
        let result: Result
        do { result = try await body() } catch { throw await gate.settle(resource, error) ?? error }
        _ = await gate.settle(resource, nil)
        return result
    }

    private func failure(_ answer: HTTPClient.Response) -> GoogleError {
        GoogleError(status: answer.status.code, fields: answer.fields, body: answer.body, receivedAt: .now())
    }

    private func send(
        _ request: APIRequest, packed: [UInt8]?, with token: AccessToken
    ) async throws(GoogleError) -> HTTPClient.Response {
        let query = request.query + [("fields", request.fields), ("prettyPrint", "false")]
        var message = HTTPClient.Request(
            method: request.method,
            url: "\(endpoint ?? request.service.endpoint)\(request.path)?\(PercentEncoding.form(query))",
            fields: [.authorization: "Bearer \(token.secret.text)", .accept: "application/json"])
        if let project = token.quotaProject, let name = Self.quotaProject { message.fields[name] = project }
        if let body = request.body {
            message.fields[.contentType] = request.contentType
            message.body = packed ?? body
            if packed != nil { message.fields[.contentEncoding] = "gzip" }
        }
        message.largestAnswer = request.answerLimit.bytes
        guard mayCall() else { throw GoogleError(.cancelled, retry: .backoff) }
        // Asked again at the last moment: the process may be stopped in between for longer than a lease lasts.
        message.condition = mayCall
        let start = ContinuousClock.now
        let result: Result<HTTPClient.Response, HTTPError>
        do {
            result = .success(try await exchange(message, outliving: request.outlivesCancel))
        } catch {
            result = .failure(error)
        }
        let answer = try? result.get()
        observer(
            APICall(
                service: request.service, method: request.method, isWrite: !request.isRead, status: answer?.status.code,
                duration: ContinuousClock.now - start, requestSize: message.body.count,
                responseSize: answer?.body.count ?? 0))
        switch result {
        case .success(let answer): return answer
        case .failure(let error): throw GoogleError(error)
        }
    }

    /// Sends a message; a cancel that comes meanwhile takes effect only after some time.
    private func exchange(
        _ message: HTTPClient.Request, outliving pause: Duration
    ) async throws(HTTPError) -> HTTPClient.Response {
        guard pause > .zero, !Task.isCancelled else { return try await http.send(message) }
        let sending = Task { [http] () async -> Result<HTTPClient.Response, HTTPError> in
            do throws(HTTPError) { return .success(try await http.send(message)) } catch { return .failure(error) }
        }
        return try await withTaskCancellationHandler {
            await sending.value
        } onCancel: {
            Task {
                try? await Task.sleep(for: pause)
                sending.cancel()
            }
        }.get()
    }
}

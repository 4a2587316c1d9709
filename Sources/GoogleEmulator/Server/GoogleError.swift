import JSON

/// An error in Google's words, before it takes the shape of one API's body.
///
/// Drive answers in the older form with `errors[]`, Sheets as `google.rpc.Status`; newer Drive errors mix both.
struct GoogleError: Error, Sendable {
    /// The HTTP status.
    var code: Int
    var message: String
    /// The canonical status: `INVALID_ARGUMENT`.
    var status: String
    /// Drive's reason: `notFound`.
    var reason: String
    var domain = "global"
    /// The parameter or header that is to blame, with its kind; Drive names it.
    var location: (kind: String, name: String)?
    /// The elements of `details`.
    var details: [JSON] = []
    /// Whether Drive's body carries `status` and `details` too.
    var isMixed = false

    init(code: Int, message: String, status: String? = nil, reason: String? = nil) {
        self.code = code
        self.message = message
        self.status = status ?? Self.canonicalStatus(code)
        self.reason = reason ?? Self.usualReason(code)
    }

    /// The body in the form of an API.
    func body(_ api: GoogleAPI) -> JSON {
        switch api {
        case .oauth, .sts, .idp: ["error": .string(reason), "error_description": .string(message)]
        case .drive: ["error": .object(driveError)]
        case .sheets, .iamcredentials, .metadata: ["error": .object(rpcStatus)]
        }
    }

    /// The answer in the form of an API.
    func response(_ api: GoogleAPI) -> EmulatorResponse {
        // The metadata server has pages for its errors.
        guard api != .metadata else { return MetadataEndpoint.marked(HTMLError.page(code, status, message)) }
        var response = EmulatorResponse.json(body(api), status: code)
        if code == 401, !api.givesTokens {
            let challenge = #"Bearer realm="https://accounts.google.com/", error="invalid_token""#
            response.headers.append((name: "WWW-Authenticate", value: challenge))
        }
        return response
    }

    private var rpcStatus: JSONObject {
        var error = JSONObject()
        error["code"] = JSON(code)
        error["message"] = .string(message)
        error["status"] = .string(status)
        if !details.isEmpty { error["details"] = .array(details) }
        return error
    }

    private var driveError: JSONObject {
        var first = JSONObject()
        first["message"] = .string(isMixed && code == 401 ? "Invalid Credentials" : message)
        first["domain"] = .string(domain)
        first["reason"] = .string(reason)
        if let location {
            first["location"] = .string(location.name)
            first["locationType"] = .string(location.kind)
        }
        var error = JSONObject()
        error["code"] = JSON(code)
        error["message"] = .string(message)
        error["errors"] = [.object(first)]
        if isMixed {
            error["status"] = .string(status)
            if !details.isEmpty { error["details"] = .array(details) }
        }
        return error
    }

    private static func canonicalStatus(_ code: Int) -> String {
        switch code {
        case 400: "INVALID_ARGUMENT"
        case 401: "UNAUTHENTICATED"
        case 403: "PERMISSION_DENIED"
        case 404: "NOT_FOUND"
        case 409: "ABORTED"
        case 429: "RESOURCE_EXHAUSTED"
        case 499: "CANCELLED"
        case 500: "INTERNAL"
        case 501: "UNIMPLEMENTED"
        case 503: "UNAVAILABLE"
        case 504: "DEADLINE_EXCEEDED"
        default: "UNKNOWN"
        }
    }

    private static func usualReason(_ code: Int) -> String {
        switch code {
        case 400: "badRequest"
        case 401: "authError"
        case 403: "forbidden"
        case 404: "notFound"
        case 409: "conflict"
        case 429: "rateLimitExceeded"
        case 501: "notImplemented"
        case 503: "backendError"
        default: "internalError"
        }
    }
}

extension GoogleError {
    /// A request that the schema or a rule refuses, with all its violations.
    static func invalid(_ violations: [FieldViolation]) -> GoogleError {
        badRequest(violations.map(\.description).joined(separator: "\n"), violations)
    }

    /// A bad request whose sentence and violations differ.
    static func badRequest(_ message: String, _ violations: [FieldViolation] = []) -> GoogleError {
        var error = GoogleError(code: 400, message: message)
        error.isMixed = true
        if !violations.isEmpty {
            error.details = [
                [
                    "@type": "type.googleapis.com/google.rpc.BadRequest",
                    "fieldViolations": .array(violations.map(\.json)),
                ]
            ]
        }
        return error
    }

    /// A parameter of Drive with a value that makes no sense.
    static func invalidParameter(_ name: String, message: String = "Invalid Value", reason: String = "invalid")
        -> GoogleError
    {
        var error = GoogleError(code: 400, message: message, reason: reason)
        error.location = (kind: "parameter", name: name)
        return error
    }

    /// Drive does not know a file, or does not show it to the caller.
    static func fileNotFound(_ id: String) -> GoogleError {
        var error = GoogleError(code: 404, message: "File not found: \(id).", reason: "notFound")
        error.location = (kind: "parameter", name: "fileId")
        return error
    }

    /// Sheets does not know a spreadsheet.
    static let entityNotFound = GoogleError(code: 404, message: "Requested entity was not found.")

    /// The emulator does not play this part of Google.
    static func unimplemented(_ what: String) -> GoogleError {
        GoogleError(code: 501, message: "The emulator does not play \(what).")
    }
}

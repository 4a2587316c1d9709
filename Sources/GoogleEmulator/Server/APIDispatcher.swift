import JSON
import Synchronization

/// Takes a request for a Google API through the checks that Google makes before a method runs, and runs the method.
struct APIDispatcher: Sendable {
    private let api: GoogleAPI
    private let schema: APISchema
    /// The method that the request calls.
    let method: APIMethod
    private let variables: [String: String]

    /// Finds the method that a request for Drive or Sheets calls; nil where there is none.
    init?(_ request: EmulatorRequest, _ api: GoogleAPI) {
        self.api = api
        schema = api == .drive ? APISchema.drive : APISchema.sheets
        guard let (method, variables) = schema.method(verb: request.verb, segments: request.segments) else {
            return nil
        }
        self.method = method
        self.variables = variables
    }

    /// Answers the request.
    func respond(_ request: EmulatorRequest, _ world: borrowing Mutex<World>) -> EmulatorResponse {
        do throws(GoogleError) {
            let now = Timestamp.now
            let (token, baseURL, checksAnswers) = try world.withLock { (world) throws(GoogleError) in
                (
                    try world.authority.authorize(request.authorization, scopes: method.scopes, now: now),
                    world.baseURL, world.checksAnswers
                )
            }
            let violations = ParameterValidator.violations(request.query, method: method, schema: schema)
            guard violations.isEmpty else { throw .invalid(violations) }
            // What takes long, reading and checking the body, is done before the lock.
            let call = APICall(
                method: method, variables: variables, query: request.query, body: try body(request),
                fields: try fields(request), token: token, now: now, baseURL: baseURL)
            let response = try world.withLock { (world) throws(GoogleError) in
                api == .drive ? try DriveAPI.respond(call, &world) : try SheetsAPI.respond(call, &world)
            }
            guard let response else { throw .unimplemented("the method \(method.id)") }
            return checksAnswers ? AnswerCheck.checked(response, method: method, schema: schema) : response
        } catch { return error.response(api) }
    }

    private func body(_ request: EmulatorRequest) throws(GoogleError) -> JSON {
        guard let type = method.request, !request.body.isEmpty else { return [:] }
        guard request.contentType == nil || request.hasContentType("application/json") else {
            throw .badRequest(
                "Invalid JSON payload received. Unexpected content type: \(request.contentType ?? "").")
        }
        let json: JSON
        do throws(JSONError) { json = try JSON(parsing: request.body) } catch {
            throw .badRequest("Invalid JSON payload received. \(error.description)")
        }
        var validator = MessageValidator(schema: schema, bodyField: method.bodyField)
        let canonical = validator.check(json, as: type)
        guard validator.violations.isEmpty else { throw .invalid(validator.violations) }
        return canonical
    }

    private func fields(_ request: EmulatorRequest) throws(GoogleError) -> FieldMask? {
        guard let text = request.query["fields"], !text.isEmpty else { return nil }
        guard let mask = try? FieldMask(text) else { throw invalid(text, path: text) }
        if let type = method.response {
            let path = mask.unknownPath(
                in: .message(type), schema: schema, separator: schema.name == "drive" ? "/" : ".")
            if let path { throw invalid(text, path: path) }
        }
        return mask
    }

    /// A bad `fields`: Drive says which path, Sheets only in the details.
    private func invalid(_ text: String, path: String) -> GoogleError {
        if schema.name == "drive" {
            return .invalidParameter(
                "fields", message: "Invalid field selection \(path)", reason: "invalidParameter")
        }
        return .badRequest(
            "Request contains an invalid argument.",
            [
                FieldViolation(
                    field: text,
                    description: "Error expanding 'fields' parameter. Cannot find matching fields for path '\(path)'.")
            ])
    }
}

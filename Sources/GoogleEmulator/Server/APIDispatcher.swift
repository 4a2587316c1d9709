import HTTPTypes
import JSON
import Synchronization

/// Takes a request for a Google API through the checks that Google makes before a method runs, and runs the method.
struct APIDispatcher: Sendable {
    private let api: GoogleAPI
    private let schema: APISchema
    /// The method that the request calls.
    let method: APIMethod
    private let variables: [String: String]
    private let upload: UploadTarget?

    /// Finds the method that a request for Drive or Sheets calls; nil where there is none.
    init?(_ request: EmulatorRequest, _ api: GoogleAPI) {
        self.api = api
        schema = api == .drive ? APISchema.drive : APISchema.sheets
        upload = api == .drive ? UploadTarget(request) : nil
        guard
            let (method, variables) = schema.method(
                verb: upload?.verb ?? request.verb, segments: upload?.segments ?? request.segments),
            upload == nil || method.id == "drive.files.create" || method.id == "drive.files.update"
        else { return nil }
        self.method = method
        self.variables = variables
    }

    /// Answers the request.
    func respond(_ request: EmulatorRequest, _ world: borrowing Mutex<World>) -> EmulatorResponse {
        do throws(GoogleError) {
            let now = Timestamp.now
            if let id = upload?.sessionID { return try resume(id, request, world) }
            let (token, baseURL) = try world.withLock { (world) throws(GoogleError) in
                let token = try world.authority.authorize(request.authorization, scopes: method.scopes, now: now)
                try checkQuotaProject(request, world.authority)
                try world.quotas.charge(method, api, token.email, now: now)
                if api == .sheets { try checkAccess(token, world.drive) }
                return (token, world.baseURL)
            }
            if upload?.isSecondVersion != true {
                let violations = ParameterValidator.violations(request.query, method: method, schema: schema)
                guard violations.isEmpty else { throw .invalid(violations) }
            }
            // What takes long, reading and checking the body, is done before the lock.
            let content = try content(request)
            let (body, rows) = try body(content.body, type: content.bodyType)
            var call = APICall(
                method: method, variables: variables, query: request.query, body: body,
                fields: try fields(request), token: token, now: now, baseURL: baseURL)
            call.rows = rows
            if let upload {
                call.media = content.media
                call.isSecondVersion = upload.isSecondVersion
                if request.query["uploadType"] == "resumable" {
                    let call = call
                    return world.withLock { $0.uploads.begin(call, request) }
                }
            }
            return try run(call, world)
        } catch { return error.response(api) }
    }

    /// Calls may be counted for another project, where the identity may use that one's services.
    private func checkQuotaProject(_ request: EmulatorRequest, _ authority: Authority) throws(GoogleError) {
        guard let project = request.header("X-Goog-User-Project"),
            !authority.serviceAccounts.contains(where: { $0.projectID == project })
        else { return }
        var error = GoogleError(
            code: 403,
            message: "Caller does not have required permission to use project \(project). Grant the caller the "
                + "roles/serviceusage.serviceUsageConsumer role, or a custom role with the serviceusage.services.use permission.",
            reason: "forbidden")
        error.isMixed = true
        error.details = [
            [
                "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "USER_PROJECT_DENIED",
                "domain": "googleapis.com", "metadata": ["consumer": .string("projects/\(project)")],
            ]
        ]
        throw error
    }

    /// Spreadsheets are files: who may not see one gets nothing of it, and who may only read changes nothing.
    private func checkAccess(_ token: AccessToken, _ drive: DriveStore) throws(GoogleError) {
        guard let id = variables["spreadsheetId"], let file = drive[id] else { return }
        let needed: Permission.Role = QuotaMeter.isRead(method) ? .reader : .writer
        guard let role = drive.role(of: token.email, file), role >= needed,
            !token.isForOwnSpreadsheets || token.opens(file)
        else {
            throw GoogleError(code: 403, message: "The caller does not have permission")
        }
    }

    private func run(_ call: APICall, _ world: borrowing Mutex<World>) throws(GoogleError) -> EmulatorResponse {
        var call = call
        if let media = call.media, becomesSpreadsheet(call, world) {
            call.imported = SpreadsheetImport.spreadsheet(media)
        }
        let ready = call
        let (response, checksAnswers) = try world.withLock { (world) throws(GoogleError) in
            let response = api == .drive ? try DriveAPI.respond(ready, &world) : try SheetsAPI.respond(ready, &world)
            return (response, world.checksAnswers)
        }
        guard let response else { throw .unimplemented("the method \(method.id)") }
        // Answers of Drive's second version have a schema of their own.
        guard checksAnswers, !call.isSecondVersion else { return response }
        return AnswerCheck.checked(response, method: method, schema: schema)
    }

    /// Whether the content of an upload is to be turned into a spreadsheet.
    private func becomesSpreadsheet(_ call: APICall, _ world: borrowing Mutex<World>) -> Bool {
        if let id = call.variables["fileId"] { return world.withLock { $0.drive[id]?.isSpreadsheet == true } }
        return call.body["mimeType"]?.string == DriveFile.spreadsheetType
    }

    /// Goes on with a resumable upload; its address is secret, so that no token is asked for.
    private func resume(
        _ id: String, _ request: EmulatorRequest, _ world: borrowing Mutex<World>
    ) throws(GoogleError) -> EmulatorResponse {
        let step = try world.withLock { (world) throws(GoogleError) in try world.uploads.receive(request, id: id) }
        switch step {
        case .answer(let response): return response
        case .run(let call):
            let response: EmulatorResponse
            do throws(GoogleError) { response = try run(call, world) } catch { response = error.response(api) }
            world.withLock { $0.uploads.finish(id, response) }
            return response
        }
    }

    /// What a request's body consists of: JSON, the content of a file, or both.
    private func content(
        _ request: EmulatorRequest
    ) throws(GoogleError) -> (body: [UInt8], bodyType: String?, media: Media?) {
        guard upload != nil else { return (request.body, request.contentType, nil) }
        switch request.query["uploadType"] {
        case "resumable": return (request.body, request.contentType, nil)
        case "multipart":
            guard let parts = Multipart.parts(request.body, contentType: request.contentType), parts.count == 2 else {
                throw GoogleError(
                    code: 400, message: "Malformed multipart body.", reason: "badContent")
            }
            let media = Media(type: parts[1].headers[.contentType], bytes: try decoded(parts[1]))
            return (Array(parts[0].body), parts[0].headers[.contentType], media)
        case "media", nil: return ([], nil, Media(type: request.contentType, bytes: request.body))
        case let type?:
            throw .invalidParameter("uploadType", message: "Invalid upload type: \(type)", reason: "invalid")
        }
    }

    /// A part's bytes; Python's clients send some as Base64.
    private func decoded(_ part: Multipart.Part) throws(GoogleError) -> [UInt8] {
        let name = HTTPField.Name("Content-Transfer-Encoding")
        guard name.flatMap({ part.headers[$0] })?.lowercased() == "base64" else { return Array(part.body) }
        let text = String(decoding: part.body.filter { $0 > 0x20 && $0 != UInt8(ascii: "=") }, as: UTF8.self)
        guard let bytes = Base64URL.decode(text.replacing("+", with: "-").replacing("/", with: "_")) else {
            throw GoogleError(code: 400, message: "Malformed multipart body.", reason: "badContent")
        }
        return bytes
    }

    /// The body in canonical form, and the rows of cells that were read apart from it.
    private func body(
        _ bytes: [UInt8], type contentType: String?
    ) throws(GoogleError) -> (json: JSON, rows: [Int: [[CellInput]]]) {
        guard let type = method.request, !bytes.isEmpty else { return ([:], [:]) }
        guard contentType?.split(separator: ";").first?.lowercased() ?? "application/json" == "application/json" else {
            throw .badRequest("Invalid JSON payload received. Unexpected content type: \(contentType ?? "").")
        }
        if method.id == "sheets.spreadsheets.batchUpdate", let body = BatchBody(bytes, schema: schema) {
            return (body.json, body.rows)
        }
        let json: JSON
        do throws(JSONError) { json = try JSON(parsing: bytes) } catch {
            throw .badRequest("Invalid JSON payload received. \(error.description)")
        }
        var validator = MessageValidator(schema: schema, bodyField: method.bodyField)
        let canonical = validator.check(json, as: type)
        guard validator.violations.isEmpty else { throw .invalid(validator.violations) }
        return (canonical, [:])
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

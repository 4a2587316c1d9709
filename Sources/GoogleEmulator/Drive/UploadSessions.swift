/// The resumable uploads that have begun.
struct UploadSessions: Sendable {
    /// One upload.
    private struct Session {
        /// The call that runs once all bytes are there.
        var call: APICall
        let mediaType: String?
        let total: Int?
        var received: [UInt8] = []
        var response: EmulatorResponse?
    }

    /// What a request for a session leads to.
    enum Step {
        case answer(EmulatorResponse)
        /// All bytes are there: this call is to run.
        case run(APICall)
    }

    /// What is kept of a chunk is a multiple of this, unless it is the last one.
    private static let granularity = 256 << 10

    private var sessions: [String: Session] = [:]

    /// Begins an upload; the answer names the address that takes the bytes.
    mutating func begin(_ call: APICall, _ request: EmulatorRequest) -> EmulatorResponse {
        let id = Identifiers.random(64)
        sessions[id] = Session(
            call: call, mediaType: request.header("X-Upload-Content-Type"),
            total: request.header("X-Upload-Content-Length").flatMap { Int($0) })
        var query = request.query.items.filter { $0.name != "upload_id" }
        query.append(.init(name: "upload_id", value: id))
        let text = query.map { PercentCoding.encode($0.name) + "=" + PercentCoding.encode($0.value) }
        var response = EmulatorResponse(status: 200, contentType: "text/plain; charset=utf-8", body: [])
        response.headers = [
            (name: "Location", value: call.baseURL + request.path + "?" + text.joined(separator: "&")),
            (name: "X-GUploader-UploadID", value: id),
        ]
        return response
    }

    /// Takes the bytes that a request brings to an upload, or says how far it is.
    mutating func receive(_ request: EmulatorRequest, id: String) throws(GoogleError) -> Step {
        guard sessions[id] != nil else {
            throw GoogleError(code: 404, message: "Upload session not found: \(id)", reason: "notFound")
        }
        if let response = sessions[id]?.response { return .answer(response) }
        if request.verb == "DELETE" {
            sessions[id] = nil
            return .answer(EmulatorResponse(status: 499, contentType: "text/plain; charset=utf-8", body: []))
        }
        guard let text = request.header("Content-Range") else {
            sessions[id]?.received = request.body
            return complete(id)
        }
        guard let range = ContentRange(text) else { throw Self.badRange(text) }
        let total = range.total ?? sessions[id]?.total
        let received = sessions[id]?.received.count ?? 0
        guard let bytes = range.bytes else { return total == received ? complete(id) : .answer(progress(id)) }
        guard request.body.count == bytes.count, bytes.upperBound < total ?? .max else { throw Self.badRange(text) }
        // A chunk from beyond the end is not taken; the answer says where to go on.
        guard bytes.lowerBound <= received else { return .answer(progress(id)) }
        sessions[id]?.received += request.body.dropFirst(received - bytes.lowerBound)
        let count = sessions[id]?.received.count ?? 0
        if count == total { return complete(id) }
        sessions[id]?.received.removeLast(count % Self.granularity)
        return .answer(progress(id))
    }

    /// Keeps the answer of an upload that is done, for a client that asks again; its bytes are not needed any more.
    mutating func finish(_ id: String, _ response: EmulatorResponse) {
        guard response.status < 500 else { return }
        sessions[id]?.response = response
        sessions[id]?.received = []
        sessions[id]?.call.media = nil
    }

    private func complete(_ id: String) -> Step {
        guard let session = sessions[id] else { return .answer(HTMLError.notFound("/")) }
        var call = session.call
        call.media = Media(type: session.mediaType, bytes: session.received)
        return .run(call)
    }

    private func progress(_ id: String) -> EmulatorResponse {
        var response = EmulatorResponse(status: 308, contentType: "text/plain; charset=utf-8", body: [])
        let count = sessions[id]?.received.count ?? 0
        if count > 0 { response.headers.append((name: "Range", value: "bytes=0-\(count - 1)")) }
        return response
    }

    private static func badRange(_ text: String) -> GoogleError {
        GoogleError(code: 400, message: "Failed to parse Content-Range header: \(text)", reason: "badRequest")
    }
}

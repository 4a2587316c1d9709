import HTTPTypes
import JSON

/// Google's batch endpoint: one request that carries many, each as a part of the type `application/http`.
enum BatchEndpoint {
    private static let greatestCount = 100

    private static let reasonPhrases = [
        200: "OK", 204: "No Content", 308: "Resume Incomplete", 400: "Bad Request", 401: "Unauthorized",
        403: "Forbidden", 404: "Not Found", 409: "Conflict", 429: "Too Many Requests", 500: "Internal Server Error",
        501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
    ]

    /// Whether a request goes to it: `/batch`, or `/batch/drive/v3` and the like.
    static func isMeant(by request: EmulatorRequest) -> Bool {
        request.verb == "POST" && (request.path == "/batch" || request.path.hasPrefix("/batch/"))
    }

    /// One request of a batch.
    struct Call: Sendable {
        let request: EmulatorRequest
        /// The part's own name, which its answer repeats.
        let contentID: String?
    }

    /// The requests that a batch carries; each takes over the token of the whole where it has none of its own.
    static func calls(_ request: EmulatorRequest) throws(GoogleError) -> [Call] {
        guard request.hasContentType("multipart/mixed"),
            let parts = Multipart.parts(request.body, contentType: request.contentType)
        else { throw GoogleError(code: 400, message: "Failed to parse batch request, error: Missing boundary.") }
        guard parts.count <= greatestCount else {
            throw GoogleError(
                code: 400, message: "The batch request exceeds the limit of \(greatestCount) calls.")
        }
        var calls: [Call] = []
        for part in parts { calls.append(try call(part, in: request)) }
        return calls
    }

    private static func call(_ part: Multipart.Part, in batch: EmulatorRequest) throws(GoogleError) -> Call {
        let lineEnd = part.body.firstIndex(of: 0x0A) ?? part.body.endIndex
        let words = String(decoding: part.body[..<lineEnd], as: UTF8.self).split { " \r\n".contains($0) }
        guard words.count >= 2, lineEnd < part.body.endIndex else {
            throw GoogleError(code: 400, message: "Failed to parse batch request, error: Invalid request line.")
        }
        let inner = Multipart.part(part.body[(lineEnd + 1)...])
        var target = words[1]
        if let scheme = target.firstRange(of: "://") {
            target = target[scheme.upperBound...].drop { $0 != "/" }
        }
        var request = EmulatorRequest(verb: String(words[0]), target: String(target))
        request.headers = inner.headers
        if request.headers[.authorization] == nil { request.headers[.authorization] = batch.authorization }
        request.body = Array(inner.body)
        if let length = inner.headers[.contentLength].flatMap(Int.init), length < request.body.count {
            request.body.removeLast(request.body.count - length)
        }
        return Call(request: request, contentID: HTTPField.Name("Content-ID").flatMap { part.headers[$0] })
    }

    /// The answer to a batch, its parts in the order of the calls.
    static func response(_ answers: [(call: Call, response: EmulatorResponse)]) -> EmulatorResponse {
        let boundary = "batch_" + Identifiers.random(32)
        var body: [UInt8] = []
        for (call, response) in answers {
            var head = "--\(boundary)\r\nContent-Type: application/http\r\n"
            if let id = call.contentID {
                head += "Content-ID: " + (id.hasPrefix("<") ? "<response-" + id.dropFirst() : "response-" + id) + "\r\n"
            }
            let reason = reasonPhrases[response.status] ?? "Unknown"
            head += "\r\nHTTP/1.1 \(response.status) \(reason)\r\nContent-Type: \(response.contentType)\r\n"
            for header in response.headers { head += "\(header.name): \(header.value)\r\n" }
            head += "Content-Length: \(response.body.count)\r\n\r\n"
            body += Array(head.utf8) + response.body + Array("\r\n".utf8)
        }
        body += Array("--\(boundary)--\r\n".utf8)
        return EmulatorResponse(status: 200, contentType: "multipart/mixed; boundary=\(boundary)", body: body)
    }
}

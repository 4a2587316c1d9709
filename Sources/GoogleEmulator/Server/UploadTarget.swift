/// What a path below `/upload/` means in terms of the ordinary methods.
struct UploadTarget: Sendable {
    /// The verb of the ordinary method.
    let verb: String
    /// The path of the ordinary method.
    let segments: [String]
    /// Whether it is `PUT /upload/drive/v2/files/{id}`, the second version's update.
    let isSecondVersion: Bool
    /// The session of a resumable upload that the request goes on with.
    let sessionID: String?

    /// Reads a request; nil where it is no upload.
    init?(_ request: EmulatorRequest) {
        guard request.path.hasPrefix("/upload/") else { return nil }
        var segments = Array(request.segments.dropFirst())
        sessionID = request.query["upload_id"]
        isSecondVersion = segments.count == 4 && segments[1] == "v2" && (request.verb == "PUT" || sessionID != nil)
        if isSecondVersion { segments[1] = "v3" }
        // Chunks are put wherever the session began.
        let isOrdinary = sessionID == nil && !isSecondVersion
        verb = isOrdinary ? request.verb : segments.count == 4 ? "PATCH" : "POST"
        self.segments = segments
    }
}

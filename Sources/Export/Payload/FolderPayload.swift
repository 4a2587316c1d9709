public import JSON

/// The payload of a job of kind `folder`: a path that is to exist once.
public struct FolderPayload: Sendable, Hashable {
    /// The path below the default folder.
    public let path: FolderPath

    /// Reads a payload.
    public init(_ json: JSON) throws(PayloadError) {
        let object = try PayloadObject(json, at: "", names: ["path"])
        guard let path = object["path"] else { throw PayloadError(at: "path", "is missing") }
        self.path = try FolderPath(path, at: "path")
    }
}

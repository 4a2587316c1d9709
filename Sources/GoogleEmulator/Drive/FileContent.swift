import JSON

/// The bytes of a file that is neither folder nor document.
struct FileContent: Sendable {
    let bytes: [UInt8]
    let md5: String
    let originalName: String

    init(_ bytes: [UInt8], originalName: String) {
        self.bytes = bytes
        self.originalName = originalName
        md5 = Digest.md5(bytes)
    }

    /// Adds what Drive says of such a file to its resource.
    func describe(in file: inout JSONObject) {
        file["size"] = .string(String(bytes.count))
        file["md5Checksum"] = .string(md5)
        file["originalFilename"] = .string(originalName)
        guard let dot = originalName.lastIndex(of: "."), dot > originalName.startIndex else { return }
        let suffix = String(originalName[originalName.index(after: dot)...])
        file["fileExtension"] = .string(suffix)
        file["fullFileExtension"] = .string(suffix)
    }
}

import JSON

/// The spreadsheet that an export goes into.
public enum ExportDestination: Sendable, Hashable {
    /// A new one, or a copy of another.
    case new(title: String, folder: Folder?, copyOf: String?)
    /// One that is there, by its id.
    case existing(String)

    /// Where a new spreadsheet is made.
    public enum Folder: Sendable, Hashable {
        /// A path below the default folder.
        case path(FolderPath)
        /// A folder by Drive's id.
        case id(String)
    }

    init(_ object: PayloadObject) throws(PayloadError) {
        if let id = try object.string("spreadsheet_id") {
            for name in ["title", "folder", "folder_id", "copy_of"] where object[name] != nil {
                throw PayloadError(at: name, "goes without spreadsheet_id, which names a spreadsheet that is there")
            }
            try PayloadText.checkFileID(id, of: "spreadsheet", at: "spreadsheet_id")
            self = .existing(id)
            return
        }
        let title = try object.required("title")
        try PayloadText.checkName(title, at: "title")
        let folder = try Self.folder(of: object)
        let copyOf = try object.string("copy_of")
        if let copyOf { try PayloadText.checkFileID(copyOf, of: "spreadsheet", at: "copy_of") }
        self = .new(title: title, folder: folder, copyOf: copyOf)
    }

    private static func folder(of object: PayloadObject) throws(PayloadError) -> Folder? {
        if let id = try object.string("folder_id") {
            guard object["folder"] == nil else {
                throw PayloadError(at: "folder_id", "goes without folder; give one of them")
            }
            try PayloadText.checkFileID(id, of: "folder", at: "folder_id")
            return .id(id)
        }
        guard let folder = object["folder"] else { return nil }
        return .path(try FolderPath(folder, at: "folder"))
    }
}

import HTTPTypes
import JSON

/// Folders and files of Drive.
public struct DriveClient: Sendable {
    private static let files = "/drive/v3/files"
    /// No list that a job asks for is as long as this.
    private static let mostPages = 500

    private let api: APIClient
    private let sharedDriveID: String?

    /// Makes a client.
    ///
    /// - Parameter sharedDriveID: the shared drive to which lists are confined; nil for the identity's own files and those
    ///   shared with it.
    public init(api: APIClient, sharedDriveID: String? = nil) {
        self.api = api
        self.sharedDriveID = sharedDriveID
    }

    /// Makes ids for folders yet to be created, 1 to 1,000 of them.
    public func generateIDs(_ count: Int) async throws(GoogleError) -> [String] {
        let answer = try await api.call(
            APIRequest(
                .drive, .get, "\(Self.files)/generateIds",
                query: [("count", String(count)), ("space", "drive"), ("type", "files")], fields: "ids"))
        guard let ids = answer["ids"]?.array?.compactMap(\.string), ids.count == count else {
            throw Self.unexpected("a list of ids")
        }
        return ids
    }

    /// Creates a folder under an id made beforehand, or finds the one that an earlier call with this id created.
    ///
    /// - Parameter parent: the folder to lie in; nil for the root of the identity's own drive, or of the shared drive.
    public func createFolder(
        id: String, name: String, parent: String?, appProperties: [String: String] = [:]
    ) async throws(GoogleError) -> DriveFile {
        do {
            return try await create(DriveFile.folderType, id: id, name: name, parent: parent, appProperties)
        } catch  where error.code == .alreadyExists {
            return try await file(id)
        }
    }

    /// Creates an empty spreadsheet; twice when called twice.
    ///
    /// Drive takes no id made beforehand for spreadsheets: after an unclear end look for the mark in `appProperties`.
    ///
    /// - Parameter parent: the folder to lie in; nil for the root of the identity's own drive, or of the shared drive.
    public func createSpreadsheet(
        name: String, parent: String?, appProperties: [String: String] = [:]
    ) async throws(GoogleError) -> DriveFile {
        try await create(DriveFile.spreadsheetType, id: nil, name: name, parent: parent, appProperties)
    }

    /// Copies a spreadsheet with all it holds but its permissions; twice when called twice, like `createSpreadsheet`.
    ///
    /// - Parameter parent: the folder to lie in; nil for the root of the identity's own drive, or of the shared drive.
    public func copySpreadsheet(
        _ id: String, name: String, parent: String?, appProperties: [String: String] = [:]
    ) async throws(GoogleError) -> DriveFile {
        // Without a parent a copy would lie beside the original.
        let body = Self.metadata(name: name, parent: parent ?? sharedDriveID ?? "root", appProperties)
        return try await make("\(APIRequest.drivePath(id))/copy", body)
    }

    /// Moves a file from one folder to another; harmless when repeated.
    public func move(_ id: String, from old: String, to new: String) async throws(GoogleError) -> DriveFile {
        try Self.read(
            try await api.call(
                APIRequest(
                    .drive, .patch, APIRequest.drivePath(id),
                    query: [("supportsAllDrives", "true"), ("addParents", new), ("removeParents", old)],
                    fields: DriveFile.mask, body: Array("{}".utf8))))
    }

    /// Why nothing can be put into the shared drive that lists are confined to, and what to do; nil where it can, or there is
    /// none.
    public func sharedDriveObjection() async throws(GoogleError) -> String? {
        guard let id = sharedDriveID else { return nil }
        do {
            let drive = try await api.call(
                APIRequest(
                    .drive, .get, "/drive/v3/drives/\(PercentEncoding.encode(id))",
                    fields: "id,capabilities(canAddChildren)"))
            guard drive["capabilities"]?["canAddChildren"]?.bool == false else { return nil }
            return "may not be written to by this identity; make it a content manager of the drive"
        } catch  where error.code == .notFound {
            if id.contains("/") {
                return "is an address, not an id; set the last part of the shared drive's address in a browser"
            }
            if id.contains(where: { !$0.isASCII || !($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }) {
                return "is a name, not an id; set the last part of the shared drive's address in a browser"
            }
            if let file = try? await self.file(id), file.id != file.driveID {
                let kind = file.mimeType == DriveFile.folderType ? "a folder" : "a file"
                return
                    "is the id of \(kind), not of a shared drive; set the last part of the shared drive's address in a "
                    + "browser, or name folders by GOOGLE_DRIVE_DEFAULT_FOLDER"
            }
            return
                "does not exist, or this identity may not see it; check the id and make the identity a content manager of the drive"
        }
    }

    /// Takes a file away: for good where the identity may do that, else into the trash; harmless when repeated.
    public func remove(_ id: String) async throws(GoogleError) {
        do {
            _ = try await api.call(
                APIRequest(
                    .drive, .delete, APIRequest.drivePath(id), query: [("supportsAllDrives", "true")], fields: ""))
        } catch  where error.code == .notFound {
            return
        } catch  where error.code == .permissionDenied {
            // In a shared drive only managers delete.
            _ = try await api.call(
                APIRequest(
                    .drive, .patch, APIRequest.drivePath(id), query: [("supportsAllDrives", "true")], fields: "id",
                    body: Array(#"{"trashed":true}"#.utf8)))
        }
    }

    /// Shares a file; who has it already gets the role anew.
    ///
    /// Drive takes one such call a file at a time. It refuses notifications to domains and to everybody.
    ///
    /// - Parameters:
    ///   - notify: whether Google sends a mail.
    ///   - message: plain text for that mail.
    public func share(
        _ id: String, with permission: DrivePermission, notify: Bool, message: String? = nil
    ) async throws(GoogleError) {
        var query = [(name: "supportsAllDrives", value: "true")]
        if permission.type == .user || permission.type == .group {
            query.append((name: "sendNotificationEmail", value: notify ? "true" : "false"))
            if notify, let message { query.append((name: "emailMessage", value: message)) }
        }
        _ = try await api.call(
            APIRequest(
                .drive, .post, "\(APIRequest.drivePath(id))/permissions", query: query, fields: "id",
                body: permission.json.bytes))
    }

    /// Who may do what with a file, also by the folders above it.
    public func permissions(of id: String) async throws(GoogleError) -> [DrivePermission] {
        try await pages(
            "\(APIRequest.drivePath(id))/permissions", query: [("pageSize", "100"), ("supportsAllDrives", "true")],
            fields: "nextPageToken,permissions(\(DrivePermission.mask))"
        ).flatMap { $0["permissions"]?.array ?? [] }.compactMap(DrivePermission.init)
    }

    /// What Drive knows of one file, in the trash or not.
    public func file(_ id: String) async throws(GoogleError) -> DriveFile {
        try Self.read(
            try await api.call(
                APIRequest(
                    .drive, .get, APIRequest.drivePath(id), query: [("supportsAllDrives", "true")],
                    fields: DriveFile.mask)))
    }

    /// All files that fulfil a condition, from as many pages as there are.
    public func list(_ query: DriveQuery) async throws(GoogleError) -> [DriveFile] {
        var parameters = [
            (name: "q", value: query.text), ("pageSize", "1000"), ("supportsAllDrives", "true"),
            ("includeItemsFromAllDrives", "true"),
        ]
        if let sharedDriveID { parameters += [("corpora", "drive"), ("driveId", sharedDriveID)] }
        var files: [DriveFile] = []
        let pages = try await pages(
            Self.files, query: parameters, fields: "nextPageToken,incompleteSearch,files(\(DriveFile.mask))")
        for page in pages {
            // Who looks for a mark must not take "not searched" for "not there".
            guard page["incompleteSearch"]?.bool != true else { throw Self.unexpected("a complete list of files") }
            for file in page["files"]?.array ?? [] { files.append(try Self.read(file)) }
        }
        return files
    }

    private func pages(
        _ path: String, query: [(name: String, value: String)], fields: String
    ) async throws(GoogleError) -> [JSON] {
        var pages: [JSON] = []
        var seenTokens: Set<String> = []
        var pageToken: String?
        repeat {
            var request = APIRequest(
                .drive, .get, path, query: query + (pageToken.map { [("pageToken", $0)] } ?? []), fields: fields)
            request.answerLimit = .page
            let page = try await api.call(request)
            pages.append(page)
            guard pages.count <= Self.mostPages else { throw Self.unexpected("a list that ends") }
            pageToken = page["nextPageToken"]?.string
            if let pageToken, !seenTokens.insert(pageToken).inserted { throw Self.unexpected("a further page") }
        } while pageToken != nil
        return pages
    }

    private func create(
        _ type: String, id: String?, name: String, parent: String?, _ appProperties: [String: String]
    ) async throws(GoogleError) -> DriveFile {
        var body = Self.metadata(name: name, parent: parent ?? sharedDriveID, appProperties)
        body["id"] = id.map(JSON.string)
        body["mimeType"] = .string(type)
        return try await make(Self.files, body)
    }

    private static func metadata(name: String, parent: String?, _ appProperties: [String: String]) -> JSONObject {
        var body = JSONObject()
        body["name"] = .string(name)
        body["parents"] = parent.map { [.string($0)] }
        if !appProperties.isEmpty {
            body["appProperties"] = .object(
                JSONObject(
                    appProperties.sorted { $0.key < $1.key }.map { .init(name: $0.key, value: .string($0.value)) }))
        }
        return body
    }

    private func make(_ path: String, _ body: JSONObject) async throws(GoogleError) -> DriveFile {
        var request = APIRequest(
            .drive, .post, path, query: [("supportsAllDrives", "true")], fields: DriveFile.mask,
            body: JSON.object(body).bytes)
        // Who cancels is to be told what exists. A few seconds, which each lease has left.
        request.outlivesCancel = .seconds(5)
        let answer = try await api.call(request)
        guard let file = DriveFile(answer) else { throw Self.unexpected("a file", mayHaveTakenEffect: true) }
        return file
    }

    private static func read(_ json: JSON) throws(GoogleError) -> DriveFile {
        guard let file = DriveFile(json) else { throw unexpected("a file") }
        return file
    }

    private static func unexpected(_ expected: String, mayHaveTakenEffect: Bool = false) -> GoogleError {
        GoogleError(
            .badAnswer, message: "Drive's answer is not \(expected).", retry: .backoff,
            mayHaveTakenEffect: mayHaveTakenEffect)
    }
}

import HTTPTypes
import JSON

/// Folders and files of Drive.
public struct DriveClient: Sendable {
    private static let files = "/drive/v3/files"

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
        var seenTokens: Set<String> = []
        var pageToken: String?
        repeat {
            let page = try await api.call(
                APIRequest(
                    .drive, .get, Self.files, query: parameters + (pageToken.map { [("pageToken", $0)] } ?? []),
                    fields: "nextPageToken,incompleteSearch,files(\(DriveFile.mask))"))
            // Who looks for a mark must not take "not searched" for "not there".
            guard page["incompleteSearch"]?.bool != true else { throw Self.unexpected("a complete list of files") }
            for file in page["files"]?.array ?? [] { files.append(try Self.read(file)) }
            pageToken = page["nextPageToken"]?.string
            if let pageToken, !seenTokens.insert(pageToken).inserted {
                throw Self.unexpected("a further page of files")
            }
        } while pageToken != nil
        return files
    }

    private func create(
        _ type: String, id: String?, name: String, parent: String?, _ appProperties: [String: String]
    ) async throws(GoogleError) -> DriveFile {
        var body = JSONObject()
        body["id"] = id.map(JSON.string)
        body["name"] = .string(name)
        body["mimeType"] = .string(type)
        body["parents"] = (parent ?? sharedDriveID).map { [.string($0)] }
        if !appProperties.isEmpty {
            body["appProperties"] = .object(
                JSONObject(
                    appProperties.sorted { $0.key < $1.key }.map { .init(name: $0.key, value: .string($0.value)) }))
        }
        let answer = try await api.call(
            APIRequest(
                .drive, .post, Self.files, query: [("supportsAllDrives", "true")], fields: DriveFile.mask,
                body: JSON.object(body).bytes))
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

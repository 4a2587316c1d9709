import Google
import HTTP
import HTTPTypes
import JSON
import Logging
import Synchronization

/// Looks at Google's side with the credentials that the settings give; it reads, and writes nothing but a refresh token that
/// Google replaces.
struct GoogleCheck {
    /// Google takes an assertion whose times are off by no more than this.
    private static let largestSkew = 300
    private static let noticeableSkew = 30

    let settings: GoogleSettings

    func look(_ checkup: inout Checkup) async {
        if let warning = settings.endpointWarning { checkup.add(.warn, "endpoint", warning) }
        let identities: [Credentials]
        do throws(CredentialsError) {
            let loaded = try settings.credentials.load()
            identities = loaded.identities.map(\.credentials)
            for identity in identities { checkup.add(.ok, "credentials", identity.identity) }
            for warning in loaded.warnings { checkup.add(.warn, "key file", warning) }
        } catch {
            let setting = settings.credentials.setting(of: error)
            let prefix = error.place == setting ? "" : "\(setting): "
            return checkup.add(.fail, "credentials", "\(prefix)\(error)")
        }
        let http: HTTPClient
        do { http = try settings.httpClient() } catch {
            return checkup.add(.fail, "network", "\(error)")
        }
        if await lookAtClock(identities[0], http, &checkup) {
            for identity in identities {
                var own = Checkup()
                await lookAtAccess(identity, http, &own)
                checkup.add(own, of: identities.count > 1 ? identity.identity : nil)
            }
        }
        await http.shutdown()
    }

    /// Compares this machine's clock with Google's; false where Google cannot be reached.
    private func lookAtClock(_ credentials: Credentials, _ http: HTTPClient, _ checkup: inout Checkup) async -> Bool {
        let endpoint = credentials.tokenEndpoint
        var request = HTTPClient.Request(method: .get, url: endpoint.url, timeout: .seconds(15))
        request.bypassesProxy = endpoint.isMetadataServer
        let answer: HTTPClient.Response
        do throws(HTTPError) { answer = try await http.send(request) } catch {
            checkup.add(
                .fail, "network",
                endpoint.isMetadataServer
                    ? "the metadata server does not answer, check that this machine is one of Google's: \(error.wordsForGoogle)"
                    : "Google's token endpoint does not answer, check network and proxy: \(error.wordsForGoogle)")
            return false
        }
        guard let theirs = answer.fields[.date].flatMap({ Timestamp(httpDate: $0) }) else { return true }
        let skew = Timestamp.now().seconds - theirs.seconds
        let words = "\(abs(skew)) s \(skew > 0 ? "ahead of" : "behind") Google's: set it by NTP (timedatectl)"
        if abs(skew) > Self.largestSkew {
            checkup.add(.fail, "clock", words)
        } else if abs(skew) > Self.noticeableSkew {
            checkup.add(.warn, "clock", words)
        } else {
            checkup.add(.ok, "clock", "agrees with Google's")
        }
        return true
    }

    private func lookAtAccess(_ credentials: Credentials, _ http: HTTPClient, _ checkup: inout Checkup) async {
        let silent = Logger(label: "doctor") { _ in SwiftLogNoOpLogHandler() }
        // A refresh token that Google replaces now would be lost, so it is kept as the daemon keeps it.
        let path = settings.credentials.tokenPath
        let loss = Mutex<String?>(nil)
        let tokens = TokenSource(
            http: http, logger: silent,
            onRotation: { token in
                guard let path else { return loss.withLock { $0 = "GOOGLE_SHEETS_TOKEN_PATH names no file" } }
                do throws(CredentialsError) { try TokenFile(path: path).replaceRefreshToken(token) } catch {
                    loss.withLock { $0 = "\(error)" }
                }
            }, load: { () throws(CredentialsError) in credentials })
        let isForOwnFiles: Bool
        do throws(GoogleError) {
            let token = try await tokens.token()
            isForOwnFiles = token.isForOwnFiles
            if let loss = loss.withLock(\.self) {
                checkup.add(
                    .fail, "refresh token",
                    "Google has just replaced it, and the new one could not be kept: \(loss). The old one may be of no use "
                        + "any more: name a file that can be written to, and authorise the user again")
            }
            checkup.add(.ok, "token", "Google gives one")
            if token.missingScopes.isEmpty {
                checkup.add(.ok, "scopes", "drive and spreadsheets")
            } else if token.isForOwnFiles {
                checkup.add(.warn, "scopes", Self.limits)
            } else {
                checkup.add(
                    .fail, "scopes",
                    "the consent lacks \(token.missingScopes.joined(separator: " and ")): authorise the user again with "
                        + "both, and replace the refresh token")
            }
        } catch {
            return checkup.add(.fail, "token", error.description)
        }
        let api = APIClient(http: http, tokens: tokens, endpoint: settings.endpoint)
        await lookAtStorage(api, credentials, &checkup)
        await lookAtFolder(api, &checkup, isForOwnFiles: isForOwnFiles)
        await lookAtSheets(api, &checkup)
    }

    private func lookAtStorage(_ api: APIClient, _ credentials: Credentials, _ checkup: inout Checkup) async {
        let quota: JSON?
        do throws(GoogleError) {
            let about = try await api.call(
                APIRequest(.drive, .get, "/drive/v3/about", fields: "user(emailAddress),storageQuota(limit,usage)"))
            quota = about["storageQuota"]
            checkup.add(.ok, "Drive API", "answers \(about["user"]?["emailAddress"]?.string ?? "this identity")")
        } catch {
            return checkup.add(.fail, "Drive API", error.description)
        }
        // What lies in a shared drive belongs to the drive.
        guard settings.sharedDriveID == nil else { return }
        let limit = Self.bytes(quota?["limit"])
        let used = Self.bytes(quota?["usage"]) ?? 0
        switch limit {
        case nil: checkup.add(.ok, "storage", "without a limit")
        case let limit? where used >= limit:
            checkup.add(.fail, "storage", GoogleError.Code.storageQuotaExceeded.message)
        case let limit? where Double(used) > Double(limit) * 0.95:
            checkup.add(.warn, "storage", "less than 5% is left (\((limit - used) >> 20) MiB)")
        case let limit?: checkup.add(.ok, "storage", "\((limit - used) >> 20) MiB left")
        }
    }

    /// A number of bytes, which Google tells as text; nil for what is none.
    private static func bytes(_ value: JSON?) -> Int? {
        value?.string.flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil }
    }

    /// What drive.file leaves out.
    private static let limits =
        "drive.file alone: exports into new spreadsheets and folders work, and into those that this installation made; "
        + "spreadsheets, folders and originals of copies that people made are not found (spreadsheet_id, folder_id, copy_of), "
        + "nor is a shared drive. `sheetsync auth login` without --least asks for the rest"

    private func lookAtFolder(_ api: APIClient, _ checkup: inout Checkup, isForOwnFiles: Bool) async {
        let name = settings.sharedDriveID == nil ? "root folder" : "shared drive"
        if isForOwnFiles, settings.sharedDriveID == nil {
            return checkup.add(.ok, name, "exports may land in it; drive.file does not let it be looked at")
        }
        do throws(GoogleError) {
            if let objection = try await DriveClient(api: api, sharedDriveID: settings.sharedDriveID)
                .sharedDriveObjection()
            {
                return checkup.add(.fail, name, "what GOOGLE_DRIVE_SHARED_DRIVE_ID names \(objection)")
            }
            let folder = try await api.call(
                APIRequest(
                    .drive, .get, APIRequest.drivePath(settings.sharedDriveID ?? "root"),
                    query: [("supportsAllDrives", "true")], fields: "id,name,capabilities(canAddChildren)"))
            if folder["capabilities"]?["canAddChildren"]?.bool == true {
                checkup.add(.ok, name, "exports may land in “\(folder["name"]?.string ?? "")”")
            } else {
                checkup.add(.fail, name, "this identity may not add files to it: give it the right to edit")
            }
        } catch {
            checkup.add(.fail, name, error.description)
        }
    }

    /// Asks for a spreadsheet that is not there: only an API that is enabled can tell that.
    private func lookAtSheets(_ api: APIClient, _ checkup: inout Checkup) async {
        do throws(GoogleError) {
            _ = try await api.call(
                APIRequest(.sheets, .get, APIRequest.sheetsPath("sheetsync-doctor"), fields: "spreadsheetId"))
        } catch {
            guard error.code == .notFound else { return checkup.add(.fail, "Sheets API", error.description) }
        }
        checkup.add(.ok, "Sheets API", "answers")
    }
}

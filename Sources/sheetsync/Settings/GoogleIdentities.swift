import Export
import FoundationEssentials
import Google

/// Where the credentials of an installation come from: one identity's, or those of several.
///
/// Several are the keys of a folder, or the users of a list that one service account acts for. Google counts quotas for each
/// user, so a second key that acts for the same user would add nothing.
struct GoogleIdentities {
    /// One identity, with where its credentials are read from.
    struct Known {
        let source: CredentialsSource
        let credentials: Credentials
    }

    /// What a load gives: one identity at least.
    struct Loaded {
        let identities: [Known]
        /// What the operator should know, such as a key of several that cannot be used.
        let warnings: [String]
        /// The keys of a folder that are left out.
        var unusable: [UnusableKey] = []
    }

    /// The setting that names the credentials.
    let setting: String
    /// A user's token, for an OAuth client: a path or JSON text.
    private let token: Secret?
    private let value: Secret
    private let subjects: [String]
    private let metadataServer: MetadataServer

    init(
        setting: String, value: String, token: String?, subject: String?,
        metadataServer: MetadataServer = MetadataServer()
    ) {
        self.setting = setting
        self.value = Secret(value)
        self.token = token.map(Secret.init)
        self.metadataServer = metadataServer
        subjects = (subject ?? "").split(separator: ",").map { $0.filter { !$0.isWhitespace } }.filter { !$0.isEmpty }
    }

    /// The file of a user's token; nil where there is none, or where the setting is the token's text.
    var tokenPath: String? {
        guard let text = token?.text, !text.drop(while: \.isWhitespace).hasPrefix("{") else { return nil }
        return text
    }

    /// The setting that an error of the credentials is about.
    func setting(of error: CredentialsError) -> String {
        let name = "GOOGLE_SHEETS_TOKEN_PATH"
        return error.place == name || error.place == tokenPath ? name : setting
    }

    /// Reads and checks the credentials of all identities.
    ///
    /// Of several keys one that cannot be used costs a warning; where none can be used, the first error is thrown.
    func load() throws(CredentialsError) -> Loaded {
        var warnings: [String] = []
        var identities: [Known] = []
        var unusable: [UnusableKey] = []
        var failure: CredentialsError?
        let values = values
        for value in values {
            for subject in subjects.isEmpty ? [nil] : subjects.map(Optional.some) {
                let source = CredentialsSource(
                    value: value, setting: setting, token: token, subject: subject,
                    metadataServer: metadataServer)
                do throws(CredentialsError) {
                    let loaded = try source.load()
                    warnings += loaded.warnings.filter { !warnings.contains($0) }
                    let isKnown = identities.contains { $0.credentials.identity == loaded.credentials.identity }
                    guard !isKnown else { continue }
                    if let first = identities.first?.credentials.project, loaded.credentials.project != first {
                        let words =
                            "\(loaded.credentials.identity) is left out, because it belongs to another Cloud project than "
                            + "\(identities[0].credentials.identity); all keys must be of one"
                        warnings.append(words)
                        unusable.append(UnusableKey(path: Self.place(value), reason: words))
                        continue
                    }
                    identities.append(Known(source: source, credentials: loaded.credentials))
                } catch {
                    failure = failure ?? error
                    let words = "a key is left out: \(error)"
                    if !warnings.contains(words) { warnings.append(words) }
                    let key = UnusableKey(path: Self.place(value), reason: "\(error)")
                    if values.count > 1, !unusable.contains(key) { unusable.append(key) }
                }
            }
            // Another key for the same users would share their quotas.
            if !subjects.isEmpty, !identities.isEmpty { break }
        }
        if identities.isEmpty, let failure { throw failure }
        return Loaded(identities: identities, warnings: warnings, unusable: unusable)
    }

    /// What a note of a key may show of where it is.
    private static func place(_ value: Secret) -> String { FilePath.isPlausible(value.text) ? value.text : "a key" }

    /// The paths of a folder's keys, or the one value as it is.
    private var values: [Secret] {
        let path = value.text
        guard !path.drop(while: \.isWhitespace).hasPrefix("{"),
            let names = try? FileManager.default.contentsOfDirectory(atPath: path)
        else { return [value] }
        let keys = names.filter { $0.hasSuffix(".json") }.sorted().map { Secret("\(path)/\($0)") }
        // The folder is then refused as one that is no file.
        return keys.isEmpty ? [value] : keys
    }
}

extension Credentials {
    /// The Cloud project of a service account, which its address names; nil for a user.
    fileprivate var project: Substring? {
        serviceAccountEmail?.split(separator: "@").last
    }
}

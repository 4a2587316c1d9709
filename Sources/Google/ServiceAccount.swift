/// A service account and its key, as a key file of the Google Cloud console holds them.
public struct ServiceAccount: Sendable {
    /// The account's address, such as `exports@project.iam.gserviceaccount.com`.
    public let email: String
    /// The key's number in the console; tells Google which key signed.
    public let keyID: String?
    /// The key.
    public let key: RSAPrivateKey
    /// Where assertions become access tokens; also the audience that they name.
    public let tokenURI: String
    /// The user for whom the account acts (domain-wide delegation); nil for itself.
    public let subject: String?
}

import JSON

/// A service account with a key.
struct ServiceAccount: Sendable {
    let email: String
    let projectID: String
    let clientID: String
    let privateKeyID: String
    /// PKCS#8 in PEM.
    let privateKey: String
    /// A disabled account gets no tokens.
    var isDisabled = false
    /// A deleted key signs for nobody.
    var isKeyDeleted = false

    /// Makes the account of a number, from 1, with a fresh key; nil where OpenSSL cannot make one.
    static func fresh(_ number: Int) -> ServiceAccount? {
        guard let key = RS256.generateKey() else { return nil }
        let digits = (0..<40).map { _ in String(Int.random(in: 0..<16), radix: 16) }.joined()
        return ServiceAccount(
            email: "sheetsync\(number > 1 ? "-\(number)" : "")@emulated-project.iam.gserviceaccount.com",
            projectID: "emulated-project",
            clientID: "1" + (0..<20).map { _ in String(Int.random(in: 0..<10)) }.joined(), privateKeyID: digits,
            privateKey: key)
    }

    init(email: String, projectID: String, clientID: String, privateKeyID: String, privateKey: String) {
        self.email = email
        self.projectID = projectID
        self.clientID = clientID
        self.privateKeyID = privateKeyID
        self.privateKey = privateKey
    }

    /// Reads Google's key file; nil where it is none or its key is no RSA key.
    init?(file: JSON) {
        guard file["type"]?.string == "service_account", let email = file["client_email"]?.string,
            let project = file["project_id"]?.string, let client = file["client_id"]?.string,
            let keyID = file["private_key_id"]?.string, let key = file["private_key"]?.string, RS256.isPrivateKey(key)
        else { return nil }
        self.init(email: email, projectID: project, clientID: client, privateKeyID: keyID, privateKey: key)
    }

    /// Google's key file, with the emulator's token endpoint in it.
    func file(baseURL: String) -> JSON {
        [
            "type": "service_account",
            "project_id": .string(projectID),
            "private_key_id": .string(privateKeyID),
            "private_key": .string(privateKey),
            "client_email": .string(email),
            "client_id": .string(clientID),
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": .string(baseURL + "/token"),
            "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
            "client_x509_cert_url": .string(
                "https://www.googleapis.com/robot/v1/metadata/x509/" + PercentCoding.encode(email)),
            "universe_domain": "googleapis.com",
        ]
    }
}

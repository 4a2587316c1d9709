public import JSON
import Logging
public import ServiceLifecycle
import Synchronization

/// A Google to test against: OAuth's token endpoint, Drive v3 and Sheets v4 over plain HTTP, with all state in memory.
///
///     let emulator = try GoogleEmulator(.init(directory: "/tmp/credentials"))
///     Task { try await emulator.run() }
///     let port = try await emulator.port
///
/// Point a client's API endpoint at `http://127.0.0.1:PORT` and give it one of the credential files.
public final class GoogleEmulator: Service {
    /// How the emulator is set up.
    public struct Configuration: Sendable {
        /// The address to bind.
        public var host: String
        /// The port to bind; 0 for any that is free.
        public var port: Int
        /// Where to keep the credential files; nil for nowhere.
        public var directory: String?
        /// The id of the one shared drive; nil for none.
        public var sharedDriveID: String?
        /// How many service accounts the Cloud project has; each has a quota, and files, of its own.
        public var serviceAccounts: Int
        /// The people whom the service accounts may act for.
        public var delegatedUsers: Set<String>
        /// How long access tokens last, in seconds.
        public var tokenLifetime: Int
        /// Whether service accounts may own files.
        ///
        /// Google's own new ones may not: they need a shared drive or a person to act for. Set it to false to play that.
        public var serviceAccountsOwnFiles: Bool
        /// Whether the emulator checks its own answers against Google's schema, and sends status 500 for a bad one.
        ///
        /// It costs time; tests of the emulator switch it on.
        public var checksAnswers: Bool
        /// How much may be called; by default without limit.
        public var quotas: QuotaLimits
        /// Whether to speak HTTPS, with a certificate of its own that is written into the directory as `ca.pem`.
        public var usesTLS: Bool

        /// Makes a configuration; by default a free port of the loopback address, and no files.
        public init(
            host: String = "127.0.0.1", port: Int = 0, directory: String? = nil, sharedDriveID: String? = nil,
            serviceAccounts: Int = 1, delegatedUsers: Set<String> = [], tokenLifetime: Int = 3599,
            serviceAccountsOwnFiles: Bool = true,
            checksAnswers: Bool = false, quotas: QuotaLimits = QuotaLimits(), usesTLS: Bool = false
        ) {
            self.host = host
            self.port = port
            self.directory = directory
            self.sharedDriveID = sharedDriveID
            self.serviceAccounts = serviceAccounts
            self.delegatedUsers = delegatedUsers
            self.tokenLifetime = tokenLifetime
            self.serviceAccountsOwnFiles = serviceAccountsOwnFiles
            self.checksAnswers = checksAnswers
            self.quotas = quotas
            self.usesTLS = usesTLS
        }
    }

    private let configuration: Configuration
    private let emulation: Emulation
    private let bound = BoundPort()
    private let certificate: SelfSignedCertificate?
    private let logger: Logger

    /// Makes an emulator with fresh credentials, or with those that its directory holds already.
    public init(_ configuration: Configuration = Configuration()) throws(EmulatorError) {
        self.configuration = configuration
        let files = configuration.directory.map(CredentialFiles.init)
        var accounts: [ServiceAccount] = []
        for number in 1...max(1, configuration.serviceAccounts) {
            guard let account = try files?.serviceAccount(number) ?? .fresh(number) else {
                throw EmulatorError(
                    code: .keyFailed, description: "OpenSSL could not make an RSA key for a service account.")
            }
            accounts.append(account)
        }
        certificate = configuration.usesTLS ? SelfSignedCertificate(host: configuration.host) : nil
        guard configuration.usesTLS == (certificate != nil) else {
            throw EmulatorError(code: .keyFailed, description: "OpenSSL could not make a certificate.")
        }
        var authority = Authority(serviceAccounts: accounts, user: try files?.user() ?? .fresh())
        authority.delegatedUsers = configuration.delegatedUsers
        authority.tokenLifetime = configuration.tokenLifetime
        var world = World(authority: authority, serviceAccountsOwnFiles: configuration.serviceAccountsOwnFiles)
        world.checksAnswers = configuration.checksAnswers
        if let id = configuration.sharedDriveID {
            world.drive.addSharedDrive(id: id, name: "Shared drive", maker: nil, now: .now)
        }
        world.quotas.limits = configuration.quotas
        emulation = Emulation(world)
        logger = Logger(label: "google-emulator")
    }

    /// Serves until graceful shutdown or cancellation.
    ///
    /// Throws where the address cannot be bound or the credential files cannot be written.
    public func run() async throws {
        let server = EmulatorServer(
            emulation: emulation, host: configuration.host, port: configuration.port, certificate: certificate,
            logger: logger)
        do {
            try await server.run { [self] port in
                let baseURL = baseURL(port)
                emulation.world.withLock {
                    $0.baseURL = baseURL
                    $0.authority.tokenURL = baseURL + "/token"
                }
                if let directory = configuration.directory { try writeFiles(CredentialFiles(directory: directory)) }
                logger.debug("The emulator answers at \(baseURL)")
                bound.settle(.success(port))
            }
        } catch {
            let failure =
                error as? EmulatorError
                ?? EmulatorError(
                    code: .bindingFailed,
                    description:
                        "The emulator cannot listen on \(configuration.host):\(configuration.port) (\(error)). "
                        + "Choose another port, or 0 for any that is free.")
            bound.settle(.failure(failure))
            throw failure
        }
        bound.settle(.failure(EmulatorError(code: .stopped, description: "The emulator has stopped.")))
    }

    /// The port, once it is bound.
    ///
    /// Waits for `run()`; throws what `run()` throws, and an error when the emulator has stopped.
    public var port: Int { get async throws { try await bound.value } }

    /// Where the emulator answers, once it is bound: `http://127.0.0.1:PORT`.
    public var baseURL: String { get async throws { baseURL(try await port) } }

    private func baseURL(_ port: Int) -> String {
        "\(configuration.usesTLS ? "https" : "http")://\(configuration.host):\(port)"
    }

    /// Writes the credential files into a directory, with mode 0600: `service-account.json`, `authorized-user.json` and
    /// `token.json`; where there are several service accounts, their keys beside in the folder `service-accounts`.
    ///
    /// A key that lies there already is taken over, so that copies of it stay good. Waits for the port.
    public func writeCredentials(to directory: String) async throws {
        _ = try await port
        let files = CredentialFiles(directory: directory)
        let user = try files.user()
        var accounts: [ServiceAccount?] = []
        for number in 1...max(1, configuration.serviceAccounts) { accounts.append(try files.serviceAccount(number)) }
        let found = accounts
        emulation.world.withLock { world in
            for (index, account) in found.enumerated() {
                if let account { world.authority.serviceAccounts[index] = account }
            }
            if let user { world.authority.user = user }
        }
        try writeFiles(files)
    }

    private func writeFiles(_ files: CredentialFiles) throws(EmulatorError) {
        let (authority, baseURL) = emulation.world.withLock { ($0.authority, $0.baseURL) }
        try files.write(authority, baseURL: baseURL)
        if let certificate { try files.write(certificate) }
    }
}

extension GoogleEmulator {
    /// The requests to Google's APIs that came so far.
    public var journal: Journal { emulation.journal.withLock(\.self) }

    /// Forgets the requests that came so far.
    public func clearJournal() { emulation.journal.withLock { $0 = Journal() } }

    /// Puts a fault in force; the number that `strikes(of:)` knows it by.
    @discardableResult
    public func addFault(_ fault: Fault) -> Int { emulation.faults.withLock { $0.add(fault) } }

    /// How many requests a fault has struck.
    public func strikes(of fault: Int) -> Int {
        emulation.faults.withLock { $0.rules.first { $0.id == fault }?.strikes ?? 0 }
    }

    /// Lifts one fault; requests that it delays go on.
    public func removeFault(_ fault: Int) { emulation.faults.withLock { $0.remove(fault) } }

    /// Lifts all faults.
    public func removeFaults() { emulation.faults.withLock { $0.removeAll() } }

    /// Changes how much may be called; what was called so far is forgotten.
    public func setQuotas(_ limits: QuotaLimits) { emulation.world.withLock { $0.quotas.limits = limits } }

    /// Leaves files made from now on out of all lists for some seconds; zero lifts it.
    public func delayLists(seconds: Int) {
        emulation.world.withLock { $0.drive.visibility.set(.any, seconds: seconds, lists: 0) }
    }

    /// Changes Google's accounts and tokens.
    public func apply(_ change: AuthorityChange) { emulation.world.withLock { change.apply(to: &$0.authority) } }

    /// What the emulator holds, in the form of `GET /emulator/state`.
    ///
    /// - Parameters:
    ///   - spreadsheetID: the one spreadsheet to show; nil for all
    ///   - showsValues: whether to show what was entered into the cells
    ///   - formatRanges: the ranges in A1 notation whose formats to show
    public func state(
        spreadsheetID: String? = nil, showsValues: Bool = true, formatRanges: [String] = []
    ) -> JSON {
        StateReport.json(
            emulation.world.withLock(\.self), spreadsheetID: spreadsheetID, showsValues: showsValues,
            formatRanges: formatRanges)
    }
}

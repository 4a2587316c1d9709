import Export
import FoundationEssentials
import Google
import HTTP
import JobQueue
import Logging
import Output
import Postgres
import ServiceLifecycle
import Systemd

/// The composition root: everything that `sheetsync run` consists of, and how it hangs together.
struct Daemon {
    let database: DatabaseSettings
    let google: GoogleSettings
    let source: SourceSettings
    let csvFallback: CSVFallback?
    let worker: WorkerConfiguration
    let largestPayload: Int
    let pages: OperatorSettings

    init(_ reader: SettingsReader) throws {
        database = try DatabaseSettings(reader)
        google = try GoogleSettings(reader)
        source = try SourceSettings(reader)
        csvFallback = try reader.csvFallback()
        worker = try reader.worker()
        largestPayload = try reader.largestPayload()
        pages = try OperatorSettings(reader)
    }

    /// Works until SIGTERM or SIGINT.
    func run(logger: Logger) async throws {
        LargeBlocks.returnAtOnce()
        let connections = OpenFiles.raiseLimit(concurrency: worker.concurrency, logger: logger)
        let (known, unusable) = try loadCredentials(logger)
        for warning in database.connection.warnings { logger.warning("\(warning)") }

        // One connection for all small statements; the worker opens one more for claims, one for completions and one for
        // notifications.
        // Signs of life go over it too, so nothing on it may take as long as a lease.
        let control = Connection(
            database.connection, label: "control", statementTimeout: max(.seconds(1), worker.leaseTime / 9))
        _ = try await database.schema.requireCompatible(on: control)
        if let problem = try await google.problemOfDefaultFolder(on: control) { logger.error("\(problem)") }
        let installation = try await database.schema.installation(on: control)
        let findings = try await TrialFinding.read(database.schema, on: control)
        try await database.schema.setLargestPayload(largestPayload, on: control)

        let http = try google.httpClient()
        let calls = pages.showsMetrics ? APICallTally() : nil
        let tokens = known.map { one in
            let ledger = TokenLedger(
                on: control, schema: database.schema.name, account: one.credentials.identity, logger: logger)
            return TokenSource(
                http: http, logger: logger, onRotation: keepRefreshToken(logger),
                onRenewal: { token in Task { await ledger.note(token) } },
                load: { () throws(CredentialsError) in try one.source.load().credentials })
        }
        // What lies in a shared drive all of them see alike.
        let shared = google.sharedDriveID.map { drive in
            FolderDirectory(
                memory: FolderMemory(on: control, schema: database.schema.name, account: "the drive \(drive)"),
                root: drive)
        }
        let spreadsheets = SpreadsheetIdentities(on: control, schema: database.schema.name)
        let all = zip(known, tokens).map { one, tokens in
            identity(
                one.credentials.identity, tokens, http, calls, folders: shared, spreadsheets: spreadsheets,
                installation: installation, control: control, traits: GoogleTraits(findings), logger)
        }
        let identities = Identities(all)
        let templates = TemplateDirectory(path: google.templatesPath)

        let process = ProcessInfo.processInfo
        let manager = ServiceManager(environment: process.environment, processID: process.processIdentifier)
        let watch = WorkerWatch()
        let supervision = Supervision(
            manager: manager, worker: watch,
            parts: [
                .init(name: "the thread of the HTTP client") { await http.ping() },
                .init(name: "the connection to the database") { await control.ping() },
            ] + WorkerLoop.allCases.map { .init($0, of: watch, lateAfter: self.worker.leaseTime + .seconds(45)) })
        let server = try await serve(
            OperatorPages(
                worker: watch, supervision: supervision, probe: QueueProbe(database.schema, on: control), calls: calls,
                silenceLimit: self.worker.silenceLimit), connections: connections, logger)

        let worker = Worker(
            self.worker, database: database.connection, schema: database.schema, control: control,
            handlers: [
                "export": ExportHandler(
                    identities: identities, templates: templates,
                    mirrors: MirrorMemory(on: control, schema: database.schema.name), batchBytes: google.batchBytes,
                    patience: LookupPolicy(time: google.listDelay),
                    source: source.database(of: database), csvFallback: csvFallback),
                "folder": FolderHandler(identities: identities),
                "format": FormatHandler(identities: identities, templates: templates),
                "noop": NoopHandler(),
            ], admission: identities, logger: logger
        ) { event in
            watch.note(event)
            supervision.note(event)
        }
        try await database.schema.noteStart(on: SheetSync.machine, failure: nil, over: control)
        let reload = Reload(manager: manager, worker: watch) {
            reread(tokens, accounts: known.map(\.credentials.identity), logger)
        }

        logger.info(
            "sheetsync \(SheetSync.version) works as \(known.map(\.credentials.identity).joined(separator: ", "))",
            metadata: ["database": "\(database.connection.place)", "concurrency": "\(self.worker.concurrency)"])
        let notice = KeyNotice(keys: unusable, control: control, schema: database.schema.name, logger: logger)
        let notices: [any Service] = unusable.isEmpty ? [] : [notice]
        let upkeep =
            csvFallback.flatMap { files in
                self.worker.retention.map { CSVUpkeep(files: files, retention: $0) as any Service }
            }.map { [$0] } ?? []
        // They stop from the last to the first: monitors and systemd are answered while jobs end.
        let services: [any Service] =
            [supervision] + (server.map { [$0] } ?? []) + notices + upkeep + [reload, worker]
        try await ServiceGroup(services: services, logger: logger).runUntilSignalled()
        await http.shutdown()
        logger.info("sheetsync has stopped")
    }

    /// Serves the operators' pages; nil where there are none.
    ///
    /// An address that somebody chose must be free. The default one may be another daemon's on the same machine.
    private func serve(
        _ pages: OperatorPages, connections: Int, _ logger: Logger
    ) async throws -> PageServer? {
        guard let address = self.pages.address else { return nil }
        do throws(PageServerError) {
            let server = try await PageServer(address, connections: connections) {
                await pages.page(String($0.prefix { $0 != "?" }))
            }
            logger.info("health and metrics are at http://\(server.address)")
            return server
        } catch {
            guard self.pages.addressIsGiven else {
                logger.warning("no health and no metrics, because \(error); SHEETSYNC_HTTP_ADDRESS chooses another")
                return nil
            }
            throw SettingsError(name: "SHEETSYNC_HTTP_ADDRESS", problem: "cannot be used", reason: "\(error)")
        }
    }

    /// Everything that one identity needs, over the connections that all of them share.
    private func identity(
        _ account: String, _ tokens: TokenSource, _ http: HTTPClient, _ calls: APICallTally?, folders: FolderDirectory?,
        spreadsheets: SpreadsheetIdentities, installation: String, control: Connection,
        traits: GoogleTraits, _ logger: Logger
    ) -> Identity {
        let schema = database.schema.name
        let past = APIClient(http: http, tokens: tokens, endpoint: google.endpoint)
        let governor = Governor(
            ledger: QuotaLedger(on: control, schema: schema, account: account, settings: google.quotas),
            settings: google.quotas, logger: logger, answers: past.answers)
        let workspace = Workspace(
            google.workspace(account: account, installation: installation),
            api: APIClient(http: http, tokens: tokens, endpoint: google.endpoint, gate: governor, traits: traits)
                .observed { calls?.add($0) })
        let own = FolderDirectory(memory: FolderMemory(on: control, schema: schema, account: account), root: nil)
        return Identity(
            account: account, workspace: workspace, folders: folders ?? own, governor: governor,
            spreadsheets: spreadsheets)
    }

    /// Takes up changed key and token files; what is wrong with them is said, and the old ones serve on.
    private func reread(_ tokens: [TokenSource], accounts: [String], _ logger: Logger) {
        do throws(CommandFailure) {
            let found = try loadCredentials(logger).known.map(\.credentials.identity)
            guard found == accounts else {
                return logger.error(
                    "the credentials are now those of \(found.joined(separator: ", ")): restart to work as \(found.count > 1 ? "these" : "that account")"
                )
            }
            for tokens in tokens { tokens.renew() }
            logger.notice("read the credentials again; systemd renews its copies of them only at a restart")
        } catch {
            logger.error("the credentials cannot be read again; the old token serves on: \(error.message)")
        }
    }

    /// Reads the credentials once before anything starts, so that a broken key is an error of the settings.
    private func loadCredentials(
        _ logger: Logger
    ) throws(CommandFailure) -> (known: [GoogleIdentities.Known], unusable: [UnusableKey]) {
        do throws(CredentialsError) {
            let loaded = try google.credentials.load()
            for warning in loaded.warnings { logger.warning("\(warning)") }
            if let warning = google.endpointWarning { logger.warning("\(warning)") }
            return (loaded.identities, loaded.unusable)
        } catch {
            let setting = google.credentials.setting(of: error)
            let prefix = error.place == setting ? "" : "\(setting): "
            throw CommandFailure(
                status: .settings, message: "\(prefix)\(error)",
                publicMessage: "\(setting) cannot be used (\(error.code.rawValue)); the daemon's log says why")
        }
    }

    /// What happens when Google replaces a user's refresh token: the token's file gets the new one.
    private func keepRefreshToken(_ logger: Logger) -> @Sendable (Secret) -> Void {
        let path = google.credentials.tokenPath
        return { token in
            guard let path else {
                return logger.warning(
                    "Google replaced the refresh token, and GOOGLE_SHEETS_TOKEN_PATH names no file to keep it in")
            }
            do throws(CredentialsError) {
                try TokenFile(path: path).replaceRefreshToken(token)
                logger.notice("Google replaced the refresh token; the new one is in \(path)")
            } catch {
                logger.warning("Google replaced the refresh token, but it cannot be kept: \(error)")
            }
        }
    }
}

extension Connection {
    /// Returns as soon as the connection's thread has come round.
    fileprivate func ping() {}
}

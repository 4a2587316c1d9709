import Export
import Google
import HTTP
import JobQueue
import Logging
import Postgres
import ServiceLifecycle

/// The composition root: everything that `sheetsync run` consists of, and how it hangs together.
struct Daemon {
    let database: DatabaseSettings
    let google: GoogleSettings
    let worker: WorkerConfiguration
    let largestPayload: Int

    init(_ reader: SettingsReader) throws {
        database = try DatabaseSettings(reader)
        google = try GoogleSettings(reader)
        worker = try reader.worker()
        largestPayload = try reader.largestPayload()
    }

    /// Works until SIGTERM or SIGINT.
    func run(logger: Logger) async throws {
        let account = try loadCredentials(logger).identity

        // One connection for all small statements; the worker opens one more for claims and one to listen.
        let control = Connection(database.connection, label: "control")
        _ = try await database.schema.requireFit(on: control)
        let installation = try await database.schema.installation(on: control)
        try await database.schema.setLargestPayload(largestPayload, on: control)

        let http = try HTTPClient(userAgent: "sheetsync/\(SheetSync.version) (gzip)")
        let tokens = TokenSource(http: http, logger: logger, onRotation: keepRefreshToken(logger)) {
            () throws(CredentialsError) in try google.credentials.load().credentials
        }
        let governor = Governor(
            ledger: QuotaLedger(on: control, schema: database.schema.name, account: account, settings: google.quotas),
            settings: google.quotas, logger: logger)
        let workspace = Workspace(
            google.workspace(account: account, installation: installation),
            api: APIClient(http: http, tokens: tokens, endpoint: google.endpoint, gate: governor))
        let folders = FolderDirectory(
            memory: FolderMemory(on: control, schema: database.schema.name, account: account),
            root: google.sharedDriveID)
        let templates = TemplateDirectory(path: google.templatesPath)

        let worker = Worker(
            self.worker, database: database.connection, schema: database.schema, control: control,
            handlers: [
                "export": ExportHandler(
                    workspace: workspace, folders: folders, templates: templates,
                    patience: LookingPatience(time: google.listDelay)),
                "folder": FolderHandler(workspace: workspace, folders: folders),
                "format": FormatHandler(workspace: workspace, templates: templates),
                "noop": NoopHandler(),
            ], admission: governor, logger: logger)

        logger.info(
            "sheetsync \(SheetSync.version) works as \(account)",
            metadata: ["database": "\(database.connection.place)", "concurrency": "\(self.worker.concurrency)"])
        try await ServiceGroup(services: [worker], logger: logger).runUntilSignalled()
        await http.shutdown()
        logger.info("sheetsync has stopped")
    }

    /// Reads the credentials once before anything starts, so that a broken key is an error of the settings.
    private func loadCredentials(_ logger: Logger) throws -> Credentials {
        do throws(CredentialsError) {
            let loaded = try google.credentials.load()
            for warning in loaded.warnings { logger.warning("\(warning)") }
            return loaded.credentials
        } catch {
            let setting =
                error.place == google.credentials.tokenPath ? "GOOGLE_SHEETS_TOKEN_PATH" : google.credentials.setting
            let prefix = error.place == setting ? "" : "\(setting): "
            throw CommandFailure(status: .settings, message: "\(prefix)\(error)")
        }
    }

    /// What happens when Google replaces a user's refresh token: the token's file gets the new one.
    private func keepRefreshToken(_ logger: Logger) -> @Sendable (Secret) -> Void {
        let path = google.credentials.tokenPath
        return { token in
            guard let path else {
                return logger.warning(
                    "Google replaced the refresh token, and there is no GOOGLE_SHEETS_TOKEN_PATH to keep it in")
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

import Export
import Google
import HTTP
import JobQueue
import Logging
import Output
import Postgres

/// Tries at Google what SheetSync takes for granted, as the daemon would: its credentials, its clients, its share of the quotas.
struct Trial {
    /// What became of one probe.
    struct Result: Sendable {
        let probe: Probe
        let sighting: Probe.Sighting

        var finding: TrialFinding {
            TrialFinding(
                name: probe.name, outcome: sighting.outcome, seen: sighting.seen,
                advice: sighting.outcome == .differs ? probe.advice : nil)
        }
    }

    let settings: GoogleSettings
    /// The queue whose quotas are shared and which keeps the findings; nil for none.
    let database: DatabaseSettings?
    /// Whether the folder stays.
    let keepsFolder: Bool
    /// Whether probes are made that disturb others.
    let makesAll: Bool

    /// Makes the probes one after another, tells of each, and takes away what it made.
    ///
    /// Where its task is cancelled, it tries nothing more, and takes away what it made all the same.
    func run(noting note: (Result) -> Void) async throws -> TrialReport {
        let credentials = try load()
        let http = try settings.httpClient()
        let outcome: Swift.Result<TrialReport, any Error>
        do { outcome = .success(try await run(credentials, http, note)) } catch { outcome = .failure(error) }
        await http.shutdown()
        return try outcome.get()
    }

    private func load() throws(CommandFailure) -> Credentials {
        do throws(CredentialsError) { return try settings.credentials.load().identities[0].credentials } catch {
            let setting = settings.credentials.setting(of: error)
            let prefix = error.place == setting ? "" : "\(setting): "
            throw CommandFailure(status: .settings, message: "\(prefix)\(error)")
        }
    }

    private func run(
        _ credentials: Credentials, _ http: HTTPClient, _ note: (Result) -> Void
    ) async throws -> TrialReport {
        let silent = Logger(label: "trial") { _ in SwiftLogNoOpLogHandler() }
        let tokens = Person.tokens(credentials, http, keeping: settings.credentials.tokenPath)
        var problem: String?
        let queue = try await queue(&problem)
        let past = APIClient(http: http, tokens: tokens, endpoint: settings.endpoint)
        let gate = queue.map { queue -> any CallGate in
            let ledger = QuotaLedger(
                on: queue.connection, schema: queue.schema.name, account: credentials.identity,
                settings: settings.quotas)
            return PatientGate(gate: Governor(ledger: ledger, settings: settings.quotas, logger: silent))
        }
        let log = CallLog()
        let api = APIClient(http: http, tokens: tokens, endpoint: settings.endpoint, gate: gate ?? OpenGate())
            .observed { log.add($0) }
        let stage: TrialStage
        do throws(GoogleError) {
            stage = try await TrialStage(
                api: api, pastGate: past, sharedDriveID: settings.sharedDriveID, listDelay: settings.listDelay,
                quotas: settings.quotas, log: log)
        } catch {
            if error.code == .cancelled { throw CancellationError() }
            let isAway = error.code.isFaultOfService || error.code == .waiting
            throw CommandFailure(
                status: isAway ? .down : .degraded,
                message:
                    "no trial can be made, because its folder cannot: \(error). `sheetsync doctor` says what to mend")
        }
        var results: [Result] = []
        for probe in Probe.all {
            let result = Result(probe: probe, sighting: await sighting(probe, stage, log))
            results.append(result)
            note(result)
        }
        let isRemoved = await remove(stage)
        var report = TrialReport(
            results: results, writes: log.writes, isFolderKept: !isRemoved,
            identity: credentials.kindName, isInSharedDrive: settings.sharedDriveID != nil)
        report.problem = problem
        if let queue {
            // In a task of its own, since what was seen is kept where the rest is cancelled too.
            let keeping = Task { [findings = results.map(\.finding)] () -> PostgresError? in
                do throws(PostgresError) {
                    try await TrialFinding.keep(findings, queue.schema, on: queue.connection)
                    return nil
                } catch { return error }
            }
            if let error = await keeping.value {
                report.problem = "the findings cannot be kept in the queue's database: \(CommandFailure(error).message)"
            } else {
                report.isKept = true
            }
        }
        return report
    }

    /// The queue to share quotas with and to keep findings in; nil where there is none, or the login is none of a worker's.
    private func queue(_ problem: inout String?) async throws -> (connection: Connection, schema: Schema)? {
        guard let database else { return nil }
        let connection = Connection(database.connection, label: "trial", statementTimeout: .seconds(5))
        let schema = database.schema
        _ = try await schema.requireCompatible(on: connection)
        let row = try await connection.query(
            "select has_table_privilege(format('%I.trial_finding', \(schema.name)::text), 'insert') as may")[0]
        if try row.bool("may") { return (connection, schema) }
        problem =
            "what was seen cannot be kept, and the quotas were not shared with the daemons: DATABASE_URL's login has not the "
            + "role sheetsync_worker"
        return nil
    }

    private func sighting(_ probe: Probe, _ stage: TrialStage, _ log: CallLog) async -> Probe.Sighting {
        if Task.isCancelled { return .notTried("the trial was stopped") }
        if probe.isOnRequest, !makesAll {
            return .notTried("only with --quota, since it holds up other jobs for a minute")
        }
        guard log.writes + probe.writes + stage.writesOfRemoval <= TrialStage.mostWrites else {
            return .notTried("the \(TrialStage.mostWrites) writes of a trial would not do")
        }
        do throws(GoogleError) { return try await probe.run(stage) } catch { return Probe.Sighting(error) }
    }

    /// Takes the folder away with all that lies in it; whether it is gone.
    private func remove(_ stage: TrialStage) async -> Bool {
        guard !keepsFolder else { return false }
        guard let error = await stage.remove() else { return true }
        TrialStage.tellOfFolder(error)
        return false
    }
}

extension Credentials {
    /// What kind of identity it is, without its name.
    fileprivate var kindName: String {
        switch kind {
        case .serviceAccount(let account): account.subject == nil ? "service account" : "service account for a user"
        case .authorizedUser: "user"
        case .externalAccount: "external account"
        case .impersonation: "impersonated service account"
        case .metadataServer: "metadata server"
        }
    }
}

public import Logging
public import Postgres
public import ServiceLifecycle

/// Claims jobs and runs them, until it is told to stop.
///
/// A notification makes it fast, polling makes it right: without LISTEN (behind a pooler in transaction mode) a job
/// waits for the next poll. Shutdown has two stages: it stops claiming and lets running jobs end, then gives the rest back
/// without costing them an attempt. It opens three connections beside the given one, whatever its concurrency.
public struct Worker: Service {
    private let configuration: WorkerConfiguration
    private let database: ConnectionConfiguration
    private let schema: Schema
    private let control: Connection
    private let handlers: [String: any JobHandler]
    private let admission: (any AdmissionControl)?
    private let logger: Logger
    private let observer: @Sendable (WorkerEvent) -> Void

    /// Makes a worker.
    ///
    /// - Parameters:
    ///   - control: A connection that the worker shares with the handlers, for signs of life and small statements.
    ///   - handlers: What runs each kind of job; jobs of other kinds are left to other workers.
    ///   - admission: Who says how many jobs of each kind may begin; nil for as many as there is room for.
    ///   - observer: Is told at once what happens; it must neither block nor take long.
    public init(
        _ configuration: WorkerConfiguration, database: ConnectionConfiguration, schema: Schema, control: Connection,
        handlers: [String: any JobHandler], admission: (any AdmissionControl)? = nil, logger: Logger,
        observer: @escaping @Sendable (WorkerEvent) -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.database = database
        self.schema = schema
        self.control = control
        self.handlers = handlers
        self.admission = admission
        self.logger = logger
        self.observer = observer
    }

    /// Works until graceful shutdown or cancellation.
    ///
    /// A worker that was taken for dead stops what it runs and begins again under a new identity.
    ///
    /// - Throws: `SchemaError` where the schema was changed so that this program must not work on it. Then it has claimed no
    ///   more jobs, and has let those that ran end as at a shutdown.
    public func run() async throws {
        let wakeUp = Signal()
        let stopping = Flag()
        try await withTaskCancellationOrGracefulShutdownHandler {
            var former: Int?
            while !stopping.isSet {
                let session = WorkerSession(
                    configuration: configuration, database: database, schema: schema,
                    statements: WorkerStatements(
                        schema: schema.name, claims: Connection(database, label: "claims"),
                        completions: Connection(database, label: "completions"), control: control),
                    former: former,
                    handlers: handlers, admission: admission, logger: logger, observer: observer, stopping: stopping,
                    wakeUp: wakeUp)
                await session.run()
                former = session.lostEpoch ?? former
                if let incompatibility = session.incompatibility { throw SchemaError(description: incompatibility) }
            }
        } onCancelOrGracefulShutdown: {
            stopping.set()
            wakeUp.raise()
            observer(.stopping)
        }
    }
}

extension Worker: CustomStringConvertible {
    /// The worker's name; a service group logs its services as they describe themselves.
    public var description: String { "worker \(configuration.name)" }
}

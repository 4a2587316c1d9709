import JSON

/// Counts calls against the quotas, in windows that begin at multiples of their length.
struct QuotaMeter: Sendable {
    /// What is counted.
    enum Metric: String, Sendable {
        case sheetsReads = "sheets_reads"
        case sheetsWrites = "sheets_writes"
        case driveQueries = "drive_queries"
    }

    private struct Counter {
        var reads = 0
        var writes = 0
        var queries = 0

        subscript(metric: Metric) -> Int {
            get {
                switch metric {
                case .sheetsReads: reads
                case .sheetsWrites: writes
                case .driveQueries: queries
                }
            }
            set {
                switch metric {
                case .sheetsReads: reads = newValue
                case .sheetsWrites: writes = newValue
                case .driveQueries: queries = newValue
                }
            }
        }

        var json: JSON {
            ["sheets_reads": JSON(reads), "sheets_writes": JSON(writes), "drive_queries": JSON(queries)]
        }
    }

    /// What is allowed; a change begins a new count.
    var limits = QuotaLimits() {
        didSet { windowStart = Timestamp(milliseconds: 0) }
    }
    private var windowStart = Timestamp(milliseconds: 0)
    private var project = Counter()
    private var users: [String: Counter] = [:]

    /// Counts a call; throws what Google answers where a quota is used up.
    mutating func charge(_ method: APIMethod, _ api: GoogleAPI, _ user: String, now: Timestamp) throws(GoogleError) {
        turn(now)
        let metric: Metric =
            api == .drive ? .driveQueries : Self.isRead(method) ? .sheetsReads : .sheetsWrites
        if let limit = userLimit(metric), users[user]?[metric] ?? 0 >= limit {
            throw QuotaError.make(metric, scope: .user, limit: limit, windowStart: windowStart)
        }
        if let limit = projectLimit(metric), project[metric] >= limit {
            throw QuotaError.make(metric, scope: .project, limit: limit, windowStart: windowStart)
        }
        project[metric] += 1
        users[user, default: Counter()][metric] += 1
    }

    /// Whether a method of Sheets only reads; those with filters do it by POST.
    static func isRead(_ method: APIMethod) -> Bool {
        method.verb == "GET" || method.id.hasSuffix("etByDataFilter") || method.id.hasSuffix("Metadata.search")
    }

    /// Begins a new count where the window is over.
    private mutating func turn(_ now: Timestamp) {
        let length = limits.windowSeconds * 1000
        guard now.milliseconds - windowStart.milliseconds >= length || now < windowStart else { return }
        windowStart = Timestamp(milliseconds: now.milliseconds / length * length)
        project = Counter()
        users = [:]
    }

    private func userLimit(_ metric: Metric) -> Int? {
        switch metric {
        case .sheetsReads: limits.sheetsReadsPerUser
        case .sheetsWrites: limits.sheetsWritesPerUser
        case .driveQueries: limits.driveQueriesPerUser
        }
    }

    private func projectLimit(_ metric: Metric) -> Int? {
        switch metric {
        case .sheetsReads: limits.sheetsReadsPerProject
        case .sheetsWrites: limits.sheetsWritesPerProject
        case .driveQueries: limits.driveQueriesPerProject
        }
    }

    /// The limits, and what was used of them in this window.
    mutating func json(now: Timestamp) -> JSON {
        turn(now)
        return [
            "limits": limits.json,
            "use": [
                "window_start_time": .string(windowStart.rfc3339),
                "project": project.json,
                "users": .object(
                    JSONObject(users.sorted { $0.key < $1.key }.map { .init(name: $0.key, value: $0.value.json) })),
            ],
        ]
    }
}

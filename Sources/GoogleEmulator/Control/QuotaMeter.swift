import JSON

/// Counts calls against the quotas, in windows that begin at multiples of their length.
struct QuotaMeter: Sendable {
    /// What is counted.
    enum Metric: String, Sendable, CaseIterable {
        case sheetsReads = "sheets_reads"
        case sheetsWrites = "sheets_writes"
        case driveUnits = "drive_units"
        case driveQueries = "drive_queries"
    }

    private typealias Counter = [Metric: Int]

    /// What is allowed; a change begins a new count.
    var limits = QuotaLimits() {
        didSet {
            windowStart = Timestamp(milliseconds: 0)
            creations = [:]
        }
    }
    private var windowStart = Timestamp(milliseconds: 0)
    private var project: Counter = [:]
    private var users: [String: Counter] = [:]
    /// How far each identity is with new files beyond the even rate.
    private var creations: [String: CreationRate] = [:]

    /// Counts a call; throws what Google answers where a quota is used up.
    mutating func charge(_ method: APIMethod, _ api: GoogleAPI, _ user: String, now: Timestamp) throws(GoogleError) {
        try charge(Self.costs(method, api), makesFile: Self.makesFile(method), user, now: now)
    }

    /// Counts the spreadsheet in the answer to a write, where that counts.
    mutating func chargeAnswer(to user: String, now: Timestamp) throws(GoogleError) {
        guard limits.answersCostReads else { return }
        try charge([(.sheetsReads, 1)], makesFile: false, user, now: now)
    }

    private mutating func charge(
        _ costs: [(metric: Metric, cost: Int)], makesFile: Bool, _ user: String, now: Timestamp
    ) throws(GoogleError) {
        turn(now)
        for (metric, cost) in costs {
            if let limit = limits[metric].user, (users[user]?[metric] ?? 0) + cost > limit {
                throw QuotaError.make(metric, scope: .user, limit: limit, windowStart: windowStart)
            }
            if let limit = limits[metric].project, project[metric, default: 0] + cost > limit {
                throw QuotaError.make(metric, scope: .project, limit: limit, windowStart: windowStart)
            }
        }
        if makesFile, let limit = limits.driveCreatesPerUser {
            var rate = creations[user] ?? CreationRate(limit: limit, windowSeconds: limits.windowSeconds)
            guard rate.takes(now) else { throw QuotaError.creations }
            creations[user] = rate
        }
        for (metric, cost) in costs {
            project[metric, default: 0] += cost
            users[user, default: [:]][metric, default: 0] += cost
        }
    }

    /// Whether a method of Sheets only reads; those with filters do it by POST.
    static func isRead(_ method: APIMethod) -> Bool {
        method.verb == "GET" || method.id.hasSuffix("etByDataFilter") || method.id.hasSuffix("Metadata.search")
    }

    private static func makesFile(_ method: APIMethod) -> Bool {
        ["drive.files.create", "drive.files.copy"].contains(method.id)
    }

    private static func costs(_ method: APIMethod, _ api: GoogleAPI) -> [(metric: Metric, cost: Int)] {
        guard api == .drive else { return [(isRead(method) ? .sheetsReads : .sheetsWrites, 1)] }
        let units =
            switch method.verb {
            case "GET": method.id.hasSuffix(".list") ? 100 : 5
            default: 50
            }
        return [(.driveUnits, units), (.driveQueries, 1)]
    }

    /// Begins a new count where the window is over.
    private mutating func turn(_ now: Timestamp) {
        let length = limits.windowSeconds * 1000
        guard now.milliseconds - windowStart.milliseconds >= length || now < windowStart else { return }
        windowStart = Timestamp(milliseconds: now.milliseconds / length * length)
        project = [:]
        users = [:]
    }

    private static func json(_ counter: Counter) -> JSON {
        .object(
            JSONObject(Metric.allCases.map { .init(name: $0.rawValue, value: JSON(counter[$0] ?? 0)) }))
    }

    /// The limits, and what was used of them in this window.
    mutating func json(now: Timestamp) -> JSON {
        turn(now)
        return [
            "limits": limits.json,
            "use": [
                "window_start_time": .string(windowStart.rfc3339),
                "project": Self.json(project),
                "users": .object(
                    JSONObject(users.sorted { $0.key < $1.key }.map { .init(name: $0.key, value: Self.json($0.value)) })
                ),
            ],
        ]
    }
}

extension QuotaLimits {
    /// The limits of what is counted in windows.
    fileprivate subscript(metric: QuotaMeter.Metric) -> (user: Int?, project: Int?) {
        switch metric {
        case .sheetsReads: (sheetsReadsPerUser, sheetsReadsPerProject)
        case .sheetsWrites: (sheetsWritesPerUser, sheetsWritesPerProject)
        case .driveUnits: (driveUnitsPerUser, driveUnitsPerProject)
        case .driveQueries: (driveQueriesPerUser, driveQueriesPerProject)
        }
    }
}

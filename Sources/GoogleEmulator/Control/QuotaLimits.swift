import JSON

/// How much may be called in a window of time; nil is without limit.
public struct QuotaLimits: Sendable, Hashable {
    /// The length of the window, in seconds.
    public var windowSeconds = 60
    /// Reads of Sheets by one identity.
    public var sheetsReadsPerUser: Int?
    /// Reads of Sheets in the project.
    public var sheetsReadsPerProject: Int?
    /// Writes to Sheets by one identity.
    public var sheetsWritesPerUser: Int?
    /// Writes to Sheets in the project.
    public var sheetsWritesPerProject: Int?
    /// Units of Drive by one identity: Google counts 5 for a look at a file, 50 for a change and 100 for a list.
    public var driveUnitsPerUser: Int?
    /// Units of Drive in the project.
    public var driveUnitsPerProject: Int?
    /// New files in Drive by one identity, evenly over the window; a sixth of them may come at once.
    ///
    /// Google names no figure. People who sustain more than about two a second are refused after a while.
    public var driveCreatesPerUser: Int?
    /// Queries of Drive by one identity, as projects count that used Drive before May 2026.
    public var driveQueriesPerUser: Int?
    /// Queries of Drive in the project.
    public var driveQueriesPerProject: Int?
    /// Whether a write that asks for the spreadsheet in its answer counts as a read too; nobody has seen whether it does.
    public var answersCostReads = false

    /// Makes limits that limit nothing.
    public init() {}

    /// What Google grants a project at first.
    public static let google: QuotaLimits = {
        var limits = QuotaLimits()
        (limits.sheetsReadsPerUser, limits.sheetsReadsPerProject) = (60, 300)
        (limits.sheetsWritesPerUser, limits.sheetsWritesPerProject) = (60, 300)
        (limits.driveUnitsPerUser, limits.driveUnitsPerProject) = (325_000, 1_000_000)
        limits.driveCreatesPerUser = 120
        return limits
    }()

    private static var paths: [(name: String, path: WritableKeyPath<QuotaLimits, Int?>)] {
        [
            ("sheets_reads_per_user", \.sheetsReadsPerUser), ("sheets_reads_per_project", \.sheetsReadsPerProject),
            ("sheets_writes_per_user", \.sheetsWritesPerUser),
            ("sheets_writes_per_project", \.sheetsWritesPerProject),
            ("drive_units_per_user", \.driveUnitsPerUser), ("drive_units_per_project", \.driveUnitsPerProject),
            ("drive_creates_per_user", \.driveCreatesPerUser),
            ("drive_queries_per_user", \.driveQueriesPerUser),
            ("drive_queries_per_project", \.driveQueriesPerProject),
        ]
    }

    /// The limits after a change such as `{"sheets_writes_per_user":5,"window_seconds":2}`; null lifts one.
    func changed(by json: JSON) throws(ControlError) -> QuotaLimits {
        var limits = json["google"]?.bool == true ? Self.google : self
        for member in json.object ?? JSONObject() where member.name != "google" {
            if member.name == "window_seconds", let seconds = member.value.int, seconds > 0 {
                limits.windowSeconds = seconds
                continue
            }
            if member.name == "answers_cost_reads", let value = member.value.bool {
                limits.answersCostReads = value
                continue
            }
            guard let path = Self.paths.first(where: { $0.name == member.name })?.path,
                member.value.isNull || member.value.int ?? -1 >= 0
            else {
                throw ControlError(
                    "\"\(member.name)\" is unknown or no whole number; there are google, window_seconds, answers_cost_reads, "
                        + Self.paths.map(\.name).joined(separator: ", ") + ".")
            }
            limits[keyPath: path] = member.value.int
        }
        return limits
    }

    var json: JSON {
        var object = JSONObject()
        object["window_seconds"] = JSON(windowSeconds)
        object["answers_cost_reads"] = .bool(answersCostReads)
        for (name, path) in Self.paths { object[name] = self[keyPath: path].map { JSON($0) } ?? JSON.null }
        return .object(object)
    }
}

public import Google
public import JobQueue
public import Postgres

/// What a probe of Google saw, as the queue's schema keeps it.
public struct TrialFinding: Sendable, Hashable {
    /// Whether Google does what was taken for granted.
    public enum Outcome: String, Sendable {
        case holds, differs
        case notTried = "not_tried"
    }

    /// The probe's name.
    public let name: String
    /// Whether it holds.
    public let outcome: Outcome
    /// What was seen, without names, ids and tokens.
    public let seen: String
    /// What to do; nil where nothing has to be done.
    public let advice: String?
    /// When it was seen, for people; nil for now.
    public let at: String?

    /// Makes a finding of this moment.
    public init(name: String, outcome: Outcome, seen: String, advice: String?) {
        self.init(name: name, outcome: outcome, seen: seen, advice: advice, at: nil)
    }

    private init(name: String, outcome: Outcome, seen: String, advice: String?, at: String?) {
        self.name = name
        self.outcome = outcome
        self.seen = seen
        self.advice = advice
        self.at = at
    }

    /// Reads the findings of the last trial of each probe; none where no trial was made.
    public static func read(_ schema: Schema, on connection: Connection) async throws(PostgresError) -> [TrialFinding] {
        var findings: [TrialFinding] = []
        for row in try await connection.query("select * from \(identifier: schema.name).report_trial") {
            guard let outcome = Outcome(rawValue: try row.text("outcome")) else { continue }
            findings.append(
                TrialFinding(
                    name: try row.text("name"), outcome: outcome, seen: try row.text("seen"),
                    advice: try row.optionalText("advice"), at: try row.text("at")))
        }
        return findings
    }

    /// Keeps findings in place of earlier ones of the same probes; what was not tried leaves the earlier one alone.
    public static func keep(
        _ findings: [TrialFinding], _ schema: Schema, on connection: Connection
    ) async throws(PostgresError) {
        for finding in findings where finding.outcome != .notTried {
            try await connection.query(
                """
                insert into \(identifier: schema.name).trial_finding (name, outcome, seen, advice)
                values (\(finding.name), \(finding.outcome.rawValue), \(finding.seen), \(finding.advice))
                on conflict (name) do update
                set outcome = excluded.outcome, seen = excluded.seen, advice = excluded.advice, at = now()
                """)
        }
    }
}

extension GoogleTraits {
    /// The probe of compressed requests.
    public static let packedBodies = "compressed requests"
    /// The probe of values by the range of a grid.
    public static let valuesByGridRange = "values by grid range"

    /// What findings say of the ways that have another beside them.
    public init(_ findings: [TrialFinding]) {
        self.init()
        for finding in findings where finding.outcome == .differs {
            if finding.name == Self.packedBodies { takesPackedBodies = false }
            if finding.name == Self.valuesByGridRange { takesValuesByGridRange = false }
        }
    }
}

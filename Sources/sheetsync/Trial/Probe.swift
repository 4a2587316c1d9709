import Export
import Google

/// One thing that SheetSync takes for granted of Google, and how it is tried.
struct Probe: Sendable {
    /// What a try has shown.
    struct Sighting: Sendable {
        let outcome: TrialFinding.Outcome
        /// In words and numbers, without names, ids and tokens.
        let seen: String

        static func holds(_ seen: String) -> Sighting { Sighting(outcome: .holds, seen: seen) }
        static func differs(_ seen: String) -> Sighting { Sighting(outcome: .differs, seen: seen) }
        static func notTried(_ reason: String) -> Sighting { Sighting(outcome: .notTried, seen: reason) }

        /// Holds where a condition is met.
        static func holds(if isMet: Bool, _ seen: String, else other: String) -> Sighting {
            isMet ? holds(seen) : differs(other)
        }
    }

    /// A name for people and for the database.
    let name: String
    /// What is tried.
    let tries: String
    /// What of SheetSync rests on it.
    let restsOnIt: String
    /// What to do where it differs.
    let advice: String
    /// How many calls that change something it makes at most.
    let writes: Int
    /// Whether it takes minutes or disturbs others, so that it is only made where it is asked for.
    var isOnRequest = false
    /// Tries it; an error of Google's is a sighting too.
    let run: @Sendable (TrialStage) async throws(GoogleError) -> Sighting
}

extension Probe.Sighting {
    /// What it means that Google did not do what a probe asked for.
    init(_ error: GoogleError) {
        let facts = [error.status.map { "HTTP \($0)" }, error.reason].compactMap(\.self).joined(separator: ", ")
        let words = "\(error.code.rawValue)\(facts.isEmpty ? "" : " (\(facts))")"
        let isPassing: Bool
        switch error.code {
        case .rateLimited, .dailyLimitExceeded, .waiting, .cancelled, .aborted, .storageQuotaExceeded: isPassing = true
        default: isPassing = error.code.isFaultOfService || error.code.concernsInstallation
        }
        self = isPassing ? .notTried("Google could not do it now: \(words)") : .differs("Google refused it: \(words)")
    }
}

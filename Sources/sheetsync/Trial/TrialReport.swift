import Export
import JSON
import Output

/// What a trial saw, for people and for programs; without names, ids and tokens, so that it can be shown to anybody.
struct TrialReport {
    let results: [Trial.Result]
    /// How many calls changed something.
    let writes: Int
    let isFolderKept: Bool
    let identity: String
    let isInSharedDrive: Bool
    /// Whether the queue's database keeps the findings.
    var isKept = false
    /// Why it does not, where it should.
    var problem: String?

    func count(_ outcome: TrialFinding.Outcome) -> Int { results.count { $0.sighting.outcome == outcome } }

    /// One probe on a line.
    static func show(_ result: Trial.Result) {
        let (mark, style): (String, Style) =
            switch result.sighting.outcome {
            case .holds: ("holds      ", .green)
            case .differs: ("DIFFERS    ", .red)
            case .notTried: ("not tried  ", .dim)
            }
        let probe = result.probe
        let advice = result.finding.advice.map { ". To do: \($0)" } ?? ""
        Console.printWrapped(
            "\(probe.name): \(probe.tries). On it rests: \(probe.restsOnIt). Seen: \(result.sighting.seen)\(advice)",
            behind: mark, style: style, indentation: mark.count)
    }

    /// The sum behind the probes.
    func showSum() {
        Console.print("")
        Console.printWrapped(
            "\(count(.holds)) hold, \(count(.differs)) differ, \(count(.notTried)) were not tried; \(writes) of at most "
                + "\(TrialStage.mostWrites) writes; \(place)"
                + (isKept ? "; the queue keeps what was seen, and daemons go by it from their next start on" : ""))
    }

    /// Where its folder is.
    var place: String {
        isFolderKept ? "the folder \"\(TrialStage.folderName)\" stays in Drive" : "its folder is removed"
    }

    var json: JSON {
        [
            "schema": 1, "version": .string(SheetSync.version), "identity": .string(identity),
            "shared_drive": .bool(isInSharedDrive), "writes": JSON(writes), "most_writes": JSON(TrialStage.mostWrites),
            "holds": JSON(count(.holds)), "differs": JSON(count(.differs)), "not_tried": JSON(count(.notTried)),
            "kept": .bool(isKept),
            "probes": .array(
                results.map { result in
                    [
                        "name": .string(result.probe.name), "tries": .string(result.probe.tries),
                        "rests_on_it": .string(result.probe.restsOnIt),
                        "outcome": .string(result.sighting.outcome.rawValue), "seen": .string(result.sighting.seen),
                        "advice": JSON(result.finding.advice),
                    ]
                }),
        ]
    }
}

extension [TrialFinding] {
    /// When the last trial was made and what differs, in a sentence; nil where none was made.
    var words: String? {
        guard let last = compactMap(\.at).max() else { return nil }
        let differing = filter { $0.outcome == .differs }
        guard !differing.isEmpty else { return "tried on \(last): all \(count) probes hold" }
        let list = differing.map { "\($0.name) (\($0.seen). To do: \($0.advice ?? "-"))" }
        return "tried on \(last): \(differing.count) of \(count) probes differ: \(list.joined(separator: "; "))"
    }

    var json: JSON {
        guard let last = compactMap(\.at).max() else { return .null }
        return [
            "at": .string(last), "probes": JSON(count),
            "differs": .array(
                filter { $0.outcome == .differs }.map {
                    ["name": .string($0.name), "seen": .string($0.seen), "advice": JSON($0.advice)]
                }),
        ]
    }
}

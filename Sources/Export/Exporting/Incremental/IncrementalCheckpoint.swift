import JSON
import JobQueue
import Synchronization

/// What the queue keeps of the sheets of a job that keep their rows, beside whatever else its attempts save.
final class IncrementalCheckpoint: Sendable {
    private static let name = "kept"

    /// How far the job is with one sheet.
    enum Entry: Sendable, Hashable {
        case append(AppendProgress)
        /// Rows may have been changed or added; doing it again does no harm.
        case upsert

        fileprivate init?(_ json: JSON) {
            if json["upsert"] == true {
                self = .upsert
            } else {
                guard let progress = AppendProgress(json) else { return nil }
                self = .append(progress)
            }
        }

        fileprivate var json: JSON {
            switch self {
            case .append(let progress): progress.json
            case .upsert: ["upsert": true]
            }
        }

        fileprivate var words: String {
            switch self {
            case .append(let progress): progress.words
            case .upsert: "some of the rows may be changed or added."
            }
        }
    }

    private struct State {
        /// What was saved last beside the sheets.
        var stage: JSON?
        /// The entries by the sheets' indices in the payload.
        var entries: [Int: Entry]
        /// Whether all rows are written, so that nothing is left to say of single sheets.
        var isWritten = false
    }

    private let state: Mutex<State>

    /// Reads what an earlier attempt saved.
    init(_ json: JSON?) {
        var entries: [Int: Entry] = [:]
        for member in json?[Self.name]?.object ?? JSONObject() {
            if let index = Int(member.name) { entries[index] = Entry(member.value) }
        }
        state = Mutex(State(stage: json, entries: entries))
    }

    /// How far an earlier attempt came with the appending to a sheet.
    func progress(ofSheet index: Int) -> AppendProgress? {
        guard case .append(let progress)? = state.withLock({ $0.entries[index] }) else { return nil }
        return progress
    }

    /// Takes note of a sheet's new entry, and returns what is to be saved with it: what was saved last.
    ///
    /// - Parameter result: What the job has to show beside its entries; all else that it writes is done by then.
    func note(_ entry: Entry, ofSheet index: Int, result: JSON) -> JSON {
        state.withLock { $0.entries[index] = entry }
        return note(result: result)
    }

    /// Returns what is to be saved with what the job has to show: what was saved last.
    func note(result: JSON) -> JSON {
        state.withLock { state in
            var stage = state.stage?.object ?? JSONObject([.init(name: "stage", value: "begun")])
            stage["result"] = result
            return .object(stage)
        }
    }

    /// Takes note of the result of a job whose rows are all written, and returns what is to be saved with it.
    func note(written result: JSON) -> JSON {
        state.withLock { $0.isWritten = true }
        return note(result: result)
    }

    /// The whole checkpoint, where something new is to be saved.
    func adding(_ stage: JSON) -> JSON {
        state.withLock { state in
            state.stage = stage
            // Another spreadsheet will be made, and nothing is in that.
            if stage["stage"] == "not_made" { state.entries = [:] }
            return Self.whole(state)
        }
    }

    private static func whole(_ state: State) -> JSON {
        guard !state.entries.isEmpty, var json = state.stage?.object else { return state.stage ?? .null }
        let entries = state.entries.sorted { $0.key < $1.key }
        json[name] = .object(JSONObject(entries.map { .init(name: String($0.key), value: $0.value.json) }))
        if !state.isWritten, var result = json["result"]?.object {
            let words = entries.map { JSON.string("sheets[\($0.key)]: \($0.value.words)") }
            result["warnings"] = .array((result["warnings"]?.array ?? []) + words)
            json["result"] = .object(result)
        }
        return .object(json)
    }
}

extension ProgressReporter {
    /// The same reporter, whose checkpoints keep what was saved of sheets that keep their rows.
    func keeping(_ kept: IncrementalCheckpoint) -> ProgressReporter { mapping { kept.adding($0) } }
}

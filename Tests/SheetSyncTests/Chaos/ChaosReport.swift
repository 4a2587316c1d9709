import GoogleEmulator
import JSON

/// What is wrong when everything has ended: Postgres held against Google.
struct ChaosReport: CustomStringConvertible {
    private(set) var states: [String: Int] = [:]
    private(set) var lost: [String] = []
    private(set) var duplicated: [String] = []
    private(set) var outOfOrder: [String] = []
    private(set) var rowsLost: [String] = []
    private(set) var rowsDoubled: [String] = []
    private(set) var upsertsIncomplete: [String] = []
    private(set) var replacesMixed: [String] = []
    private(set) var unnamed: [String] = []
    /// How many spreadsheets of cancelled jobs their results name, and how many of those nobody had saved.
    private var cancelled = (named: 0, lookedUp: 0)
    private let strikes: [String: Int]

    /// How a job ended, from its row.
    struct Ending {
        let job: ChaosJob
        let id: Int
        let state: String
        let result: JSON?
        /// What its last failed attempt says.
        let error: String
        let attemptedAt: String
        let finalizedAt: String
    }

    var faults: Int { strikes.values.reduce(0, +) }
    var isClean: Bool { wrong.allSatisfy(\.list.isEmpty) }

    private var wrong: [(name: String, list: [String])] {
        [
            ("lost", lost), ("duplicated", duplicated), ("out of order", outOfOrder), ("rows lost", rowsLost),
            ("rows doubled", rowsDoubled), ("upserts incomplete", upsertsIncomplete),
            ("replaces mixed", replacesMixed),
            ("spreadsheets of cancelled jobs that their results do not name", unnamed),
        ]
    }

    init(_ endings: [Ending], _ google: JSON, _ spreadsheets: ChaosSpreadsheets, strikes: [String: Int]) {
        self.strikes = strikes
        for ending in endings { states[ending.state, default: 0] += 1 }
        let live = (google["files"]?.array ?? []).filter { $0["trashed"] != true }
        let sheets = Dictionary(
            (google["spreadsheets"]?.array ?? []).map {
                ($0["id"]?.string ?? "", Self.trimmed($0["sheets"]?[0]?["values"]))
            }, uniquingKeysWith: { one, _ in one })
        compareMarks(endings, live)
        compareFolders(live)
        for ending in endings {
            compare(ending, live, sheets)
            if ending.state == "cancelled" { compareCancelled(ending, live) }
        }
        for (sharing, ids) in spreadsheets.shared {
            for (target, id) in ids.enumerated() { compareShared(sharing, target, endings, sheets[id] ?? []) }
        }
    }

    /// The rows without what is empty at their ends and below them.
    private static func trimmed(_ values: JSON?) -> [JSON] {
        var rows = (values?.array ?? []).map { row in
            var cells = row.array ?? []
            while cells.last?.isNull == true { cells.removeLast() }
            return JSON.array(cells)
        }
        while rows.last == [] { rows.removeLast() }
        return rows
    }

    /// The number of the job that a file's mark names, such as 42 of `installation/42-9f86d081`.
    private static func job(of file: JSON) -> String? {
        file["app_properties"]?["sheetsync_job"]?.string?.split(separator: "/").last?.split(separator: "-").first
            .map(String.init)
    }

    private mutating func compareMarks(_ endings: [Ending], _ live: [JSON]) {
        let marked = live.compactMap(Self.job)
        for (job, count) in marked.reduce(into: [String: Int](), { $0[$1, default: 0] += 1 }) where count > 1 {
            duplicated.append("job \(job) has \(count) spreadsheets")
        }
    }

    private mutating func compareFolders(_ live: [JSON]) {
        let places = live.filter { $0["mime_type"] == "application/vnd.google-apps.folder" }.map {
            "\($0["parent"]?.string ?? "")/\($0["name"]?.string ?? "")"
        }
        for (place, count) in places.reduce(into: [String: Int](), { $0[$1, default: 0] += 1 }) where count > 1 {
            duplicated.append("\(count) folders \(place)")
        }
    }

    private mutating func compare(_ ending: Ending, _ live: [JSON], _ sheets: [String: [JSON]]) {
        let name = "job \(ending.id) (\(ending.job.work))"
        guard ending.state == "completed" else {
            if ending.state != "cancelled" || !ending.job.isCancelled {
                lost.append("\(name) is \(ending.state): \(ending.error)")
            }
            return
        }
        guard let expected = ending.job.values(ofOriginal: ChaosSpreadsheets.originalRows) else { return }
        guard let file = live.first(where: { $0["id"] == ending.result?["spreadsheet_id"] }) else {
            return lost.append("\(name) has no spreadsheet")
        }
        var (parent, path): (JSON?, [String]) = (file["parent"], [])
        while let above = live.first(where: { $0["id"] == parent }), above["parent"]?.isNull == false {
            path.insert(above["name"]?.string ?? "", at: 0)
            parent = above["parent"]
        }
        if path != ending.job.folder { lost.append("\(name) lies in \(path)") }
        compareRows(name, expected, sheets[file["id"]?.string ?? ""] ?? [])
    }

    /// A cancelled job names its spreadsheet, also where its worker died or lost the database in the middle of making it.
    private mutating func compareCancelled(_ ending: Ending, _ live: [JSON]) {
        let files = live.filter { Self.job(of: $0) == "\(ending.id)" }
        for file in files {
            if ending.result?["spreadsheet_id"] == file["id"] {
                cancelled.named += 1
                let words = ending.result?["warnings"]?[0]?.string ?? ""
                if words.contains("nothing is written") { cancelled.lookedUp += 1 }
            } else {
                unnamed.append("job \(ending.id): \(file["id"] ?? nil), and its result is \(ending.result ?? nil)")
            }
        }
    }

    private mutating func compareRows(_ name: String, _ expected: [JSON], _ found: [JSON]) {
        if expected == found { return }
        var counts = found.reduce(into: [String: Int]()) { $0[$1.description, default: 0] += 1 }
        for row in expected {
            let count = counts[row.description] ?? 0
            if count == 0 { rowsLost.append("\(name): \(row)") }
            counts[row.description] = count > 1 ? count - 1 : nil
        }
        for (row, count) in counts { rowsDoubled.append("\(name): \(row) \(count) times too many") }
        if rowsLost.isEmpty, rowsDoubled.isEmpty { rowsDoubled.append("\(name): rows are in another order") }
    }

    /// Jobs for one spreadsheet run one after another, and what they wrote in their order stands there.
    private mutating func compareShared(
        _ sharing: ChaosJob.Sharing, _ target: Int, _ endings: [Ending], _ found: [JSON]
    ) {
        let writers = endings.filter {
            if case .share(sharing, target, _) = $0.job.work { $0.state == "completed" } else { false }
        }.sorted { $0.id < $1.id }
        for (one, next) in zip(writers, writers.dropFirst()) where next.attemptedAt < one.finalizedAt {
            outOfOrder.append(
                "job \(next.id) began at \(next.attemptedAt), before job \(one.id) ended at \(one.finalizedAt)")
        }
        let name = "target \(target) of \(writers.count) jobs that \(sharing)"
        guard let last = writers.last else { return }
        switch sharing {
        case .replace:
            let authors = Set(found.dropFirst().map { $0[1]?.description ?? "nobody" })
            if authors.count > 1 {
                replacesMixed.append("\(name): rows of the jobs \(authors.sorted())")
            } else {
                compareRows("\(name), last by job \(last.id)", [ChaosJob.header] + last.job.rows, found)
            }
        case .append: compareRows(name, [ChaosJob.header] + writers.flatMap(\.job.rows), found)
        case .upsert:
            var rows = [ChaosJob.header]
            for row in writers.flatMap(\.job.rows) {
                if let place = rows.firstIndex(where: { $0[0] == row[0] }) {
                    rows[place] = row
                } else {
                    rows.append(row)
                }
            }
            for (place, row) in rows.enumerated() where place >= found.count || found[place] != row {
                upsertsIncomplete.append("\(name): row \(place + 1) is not \(row)")
            }
            if found.count > rows.count { rowsDoubled.append("\(name): \(found.count - rows.count) rows too many") }
        }
    }

    var description: String {
        let struck = strikes.sorted { $0.key < $1.key }.map { "  \($0.key): \($0.value)" }
        let ended = states.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
        let lines = wrong.map { name, list in
            "\(name): \(list.count)" + list.prefix(5).map { "\n    \($0)" }.joined()
        }
        return
            (["faults struck: \(self.faults)"] + struck + ["jobs: \(states.values.reduce(0, +)) (\(ended))"]
            + ["spreadsheets of cancelled jobs: \(cancelled)"] + lines)
            .joined(separator: "\n")
    }
}

import JSON
import TestSupport

/// A job of the chaos, and what is to be there when it has ended.
struct ChaosJob {
    enum Work {
        /// A new spreadsheet with so many rows in a folder.
        case export(folder: [String], rows: Int)
        /// A copy of a spreadsheet, in which rows take the place of those that are there or go below them.
        case copy(folder: [String], rows: Int, appends: Bool)
        /// Rows of a spreadsheet that other jobs write into too.
        case share(Sharing, target: Int, rows: Int)
        /// The look of such a spreadsheet, and no value of it.
        case format(target: Int)
        /// A folder and nothing else.
        case folder([String])
        /// Nothing at Google.
        case noop
    }

    /// What the jobs do that write into one spreadsheet.
    enum Sharing: String, CaseIterable {
        case replace, append, upsert
    }

    /// The number in the plan, from 0; it stands in every row.
    let number: Int
    let work: Work
    /// Whether somebody cancels it at some time.
    let isCancelled: Bool
    /// Whether its rows come from a query, and not with the payload.
    private let isQueried: Bool
    /// The keys of the rows that it upserts.
    private let keys: [Int]

    /// Draws a job.
    init(_ number: Int, _ plan: ChaosPlan, _ random: inout SeededGenerator) {
        self.number = number
        let folder = Self.path(Int.random(in: 0..<plan.folders, using: &random))
        let rows = Int.random(in: 1...80, using: &random)
        func target(_ sharing: Sharing) -> Int { Int.random(in: 0..<(plan.targets[sharing] ?? 1), using: &random) }
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<40: work = .export(folder: folder, rows: rows)
        case 40..<50: work = .copy(folder: folder, rows: rows, appends: rows % 2 == 0)
        case 50..<60: work = .share(.replace, target: target(.replace), rows: rows)
        case 60..<70: work = .share(.append, target: target(.append), rows: rows)
        case 70..<80: work = .share(.upsert, target: target(.upsert), rows: 1 + rows / 2)
        case 80..<85: work = .format(target: target(.replace))
        case 85..<92: work = .folder(folder)
        default: work = .noop
        }
        if case .share(.upsert, _, let rows) = work {
            keys = Array((0..<plan.keys).shuffled(using: &random).prefix(rows))
        } else {
            keys = []
        }
        isQueried = random.chance(30)
        // What a cancelled job has written stands, so it would hide what the one before it lost.
        if case .share = work { isCancelled = false } else { isCancelled = random.chance(5) }
    }

    /// A path of one to three folders; they share their beginnings.
    static func path(_ number: Int) -> [String] {
        Array(["Reports", "Year \(number % 3)", "It's \(number)"].prefix(1 + number % 3))
    }

    var kind: String {
        switch work {
        case .export, .copy, .share: "export"
        case .format: "format"
        case .folder: "folder"
        case .noop: "noop"
        }
    }

    /// The folder that its own spreadsheet lies in; nil where it has none.
    var folder: [String]? {
        switch work {
        case .export(let folder, _), .copy(let folder, _, _): folder
        case .share, .format, .folder, .noop: nil
        }
    }

    /// The columns of every sheet.
    static let header: JSON = ["row", "job", "text"]

    /// What stands in the first column of the rows that it brings.
    private var rowNumbers: [Int] {
        switch work {
        case .share(.upsert, _, _): keys
        case .export(_, let rows), .copy(_, let rows, _), .share(_, _, let rows): Array(0..<rows)
        case .format, .folder, .noop: []
        }
    }

    /// The rows that it brings.
    var rows: [JSON] {
        rowNumbers.map { [JSON($0), JSON(number), .string("line \($0) of job \(number)")] }
    }

    /// What its own spreadsheet holds in the end, the header first; nil where it has none.
    func values(ofOriginal original: [JSON]) -> [JSON]? {
        switch work {
        case .export, .copy(_, _, appends: false): [Self.header] + rows
        case .copy(_, _, appends: true): original + rows
        case .share, .format, .folder, .noop: nil
        }
    }

    func payload(_ spreadsheets: ChaosSpreadsheets) -> JSON {
        var payload = JSONObject()
        var mode: Sharing = .replace
        switch work {
        case .export(let folder, _), .copy(let folder, _, _):
            payload["title"] = .string("Job \(number)")
            payload["folder"] = .array(folder.map(JSON.string))
            if case .copy(_, _, let appends) = work {
                payload["copy_of"] = .string(spreadsheets.original)
                if appends { mode = .append }
            }
        case .share(let sharing, let target, _):
            payload["spreadsheet_id"] = .string(spreadsheets.shared[sharing]?[target] ?? "")
            mode = sharing
        case .format(let target):
            payload["spreadsheet_id"] = .string(spreadsheets.shared[.replace]?[target] ?? "")
            payload["template"] = "default"
        case .folder(let path): payload["path"] = .array(path.map(JSON.string))
        case .noop: payload["sleep_ms"] = 20
        }
        guard kind == "export" else { return .object(payload) }
        var sheet = JSONObject()
        sheet["name"] = "Sheet1"
        sheet["columns"] = Self.header
        sheet["mode"] = .string(mode.rawValue)
        if mode == .upsert { sheet["key"] = ["row"] }
        if isQueried {
            sheet["query"] = """
                select n, $2::int, format('line %s of job %s', n, $2)
                from unnest(string_to_array($1, ' ')::int[]) with ordinality as number (n, place) order by place
                """
            sheet["params"] = [.string(rowNumbers.map(String.init).joined(separator: " ")), JSON(number)]
        } else {
            sheet["rows"] = .array(rows)
        }
        payload["sheets"] = [.object(sheet)]
        return .object(payload)
    }
}

/// The spreadsheets that are there before the jobs, by their ids.
struct ChaosSpreadsheets {
    /// Those that several jobs write into.
    var shared: [ChaosJob.Sharing: [String]] = [:]
    /// The one that is copied.
    var original = ""

    /// What stands in the one that is copied.
    static let originalRows: [JSON] = [ChaosJob.header] + (0..<5).map { [JSON($0), "original", "copied"] }
}

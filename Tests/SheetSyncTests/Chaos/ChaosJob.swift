import JSON
import TestSupport

/// A job of the chaos, and what is to be there when it has ended.
struct ChaosJob {
    enum Work {
        /// A new spreadsheet with so many rows in a folder.
        case export(folder: [String], rows: Int)
        /// All rows of a spreadsheet that other jobs write into too.
        case replace(target: Int, rows: Int)
        /// The look of such a spreadsheet, and no value of it.
        case format(target: Int)
        /// A folder and nothing else.
        case folder([String])
        /// Nothing at Google.
        case noop
    }

    /// The number in the plan, from 0; it stands in every row.
    let number: Int
    let work: Work
    /// Whether somebody cancels it at some time.
    let isCancelled: Bool

    /// Draws a job.
    init(_ number: Int, _ plan: ChaosPlan, _ random: inout SeededGenerator) {
        self.number = number
        let folder = Self.path(Int.random(in: 0..<plan.folders, using: &random))
        let rows = Int.random(in: 1...80, using: &random)
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<60: work = .export(folder: folder, rows: rows)
        case 60..<75: work = .replace(target: Int.random(in: 0..<plan.targets, using: &random), rows: rows)
        case 75..<80: work = .format(target: Int.random(in: 0..<plan.targets, using: &random))
        case 80..<90: work = .folder(folder)
        default: work = .noop
        }
        // What a cancelled job has written stands, so it would hide what the one before it lost.
        if case .replace = work { isCancelled = false } else { isCancelled = random.chance(5) }
    }

    /// A path of one to three folders; they share their beginnings.
    static func path(_ number: Int) -> [String] {
        Array(["Reports", "Year \(number % 3)", "It's \(number)"].prefix(1 + number % 3))
    }

    var kind: String {
        switch work {
        case .export, .replace: "export"
        case .format: "format"
        case .folder: "folder"
        case .noop: "noop"
        }
    }

    /// What its sheet holds in the end, the header first.
    var values: JSON? {
        switch work {
        case .export(_, let rows), .replace(_, let rows):
            .array(
                [["job", "row", "text"]]
                    + (0..<rows).map { [JSON(number), JSON($0), .string("line \($0) of job \(number)")] })
        case .format, .folder, .noop: nil
        }
    }

    func payload(targets: [String]) -> JSON {
        var payload = JSONObject()
        switch work {
        case .export(let folder, _):
            payload["title"] = .string("Job \(number)")
            payload["folder"] = .array(folder.map(JSON.string))
        case .replace(let target, _): payload["spreadsheet_id"] = .string(targets[target])
        case .format(let target):
            payload["spreadsheet_id"] = .string(targets[target])
            payload["template"] = "default"
        case .folder(let path): payload["path"] = .array(path.map(JSON.string))
        case .noop: payload["sleep_ms"] = 20
        }
        if let values = values?.array {
            payload["columns"] = values[0]
            payload["rows"] = .array(Array(values.dropFirst()))
        }
        return .object(payload)
    }
}

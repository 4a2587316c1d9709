import JSON
import Output

/// What a look at the installation has found so far, in the order of the looks.
struct Checkup {
    enum Level: String {
        case ok
        case warn
        case fail = "FAIL"

        var style: Style {
            switch self {
            case .ok: .green
            case .warn: .yellow
            case .fail: .red
            }
        }
    }

    struct Finding {
        let level: Level
        /// What was looked at, in a word or two.
        let name: String
        /// What was found and, where it is not well, what to do.
        let words: String
    }

    private(set) var findings: [Finding] = []
    /// Which settings were looked at, in words.
    var origin = ""

    mutating func add(_ level: Level, _ name: String, _ words: String) {
        findings.append(Finding(level: level, name: name, words: words))
    }

    /// Takes over what was found of one of several identities.
    mutating func add(_ other: Checkup, of identity: String?) {
        for finding in other.findings {
            add(finding.level, finding.name, (identity.map { "\($0): " } ?? "") + finding.words)
        }
    }

    /// Takes an error for a finding.
    mutating func fail(_ name: String, _ error: any Error) {
        add(.fail, name, CommandFailure(error).message)
    }

    /// The worst that was found: the first of those to mend first.
    var worst: Finding? { findings.first { $0.level == .fail } ?? findings.first { $0.level == .warn } }
    var hasFailed: Bool { findings.contains { $0.level == .fail } }

    func show() {
        if let worst {
            Console.printWrapped(
                "\(worst.name): \(worst.words)", behind: worst.level == .fail ? "FAIL: " : "WARN: ",
                style: worst.level.style)
        } else {
            Console.printWrapped("all \(findings.count) checks passed", behind: "OK: ", style: .green)
        }
        if !origin.isEmpty { Console.printWrapped(origin, behind: "settings looked at: ", style: .dim) }
        Console.print("")
        let width = findings.map(\.name.count).max() ?? 0
        for finding in findings {
            let level = finding.level.rawValue
            let mark = level + String(repeating: " ", count: 6 - level.count)
            let name = finding.name + String(repeating: " ", count: width - finding.name.count)
            Console.printWrapped(
                "\(name)  \(finding.words)", behind: mark, style: finding.level.style, indentation: width + 8)
        }
    }

    var json: JSON {
        [
            "schema": 1, "ok": .bool(!hasFailed), "settings": .string(origin),
            "reason": worst.map { .string("\($0.name): \($0.words)") } ?? JSON.null,
            "checks": .array(
                findings.map {
                    [
                        "level": .string($0.level.rawValue), "name": .string($0.name), "words": .string($0.words),
                    ]
                }),
        ]
    }
}

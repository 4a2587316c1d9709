import JSON

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

    /// The first line of the report.
    var headline: String {
        let count = findings.count
        guard let worst else { return "\(Style.green("OK")): all \(count) checks passed" }
        let mark = worst.level.style(worst.level == .fail ? "FAIL" : "WARN")
        return "\(mark): \(worst.name): \(worst.words)"
    }

    func show() {
        Console.print(headline)
        Console.print("")
        let width = findings.map(\.name.count).max() ?? 0
        for finding in findings {
            let level = finding.level.rawValue
            let mark = finding.level.style(level) + String(repeating: " ", count: 4 - level.count)
            let name = finding.name + String(repeating: " ", count: width - finding.name.count)
            Console.print("\(mark)  \(name)  \(finding.words)")
        }
    }

    var json: JSON {
        [
            "schema": 1, "ok": .bool(!hasFailed),
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

import Subprocess
import Testing

/// The program after its end.
struct Ended: CustomStringConvertible {
    let arguments: [String]
    let status: TerminationStatus
    let output: String
    let errors: String

    var description: String {
        "sheetsync \(arguments.joined(separator: " ")): \(status)\n--- standard output:\n\(output)\n--- standard error:\n\(errors)"
    }

    /// Standard output without the last line break.
    var line: String { output.hasSuffix("\n") ? String(output.dropLast()) : output }

    /// The first line of standard output.
    var firstLine: Substring { output.prefix { $0 != "\n" } }

    /// Expects a certain exit code.
    @discardableResult
    func expect(_ code: Int32, sourceLocation: SourceLocation = #_sourceLocation) -> Ended {
        #expect(status == .exited(code), "\(self)", sourceLocation: sourceLocation)
        return self
    }

    /// Expects an exit code, nothing on standard output and one line on standard error that has all these words.
    func expectRefusal(_ code: Int32, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation) {
        expect(code, sourceLocation: sourceLocation)
        #expect(output.isEmpty, "\(self)", sourceLocation: sourceLocation)
        let lines = errors.split(separator: "\n")
        #expect(lines.count == 1, "one sentence and no more: \(self)", sourceLocation: sourceLocation)
        #expect(lines.first?.hasPrefix("sheetsync: ") == true, "\(self)", sourceLocation: sourceLocation)
        for word in words {
            #expect(errors.contains(word), "lacks “\(word)”: \(self)", sourceLocation: sourceLocation)
        }
    }
}

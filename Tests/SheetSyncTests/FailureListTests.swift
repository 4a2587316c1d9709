import Foundation
import Subprocess
import SystemPackage
import Testing

/// `scripts/test` ends with a list of what failed, because logs are cut in their middle.
@Suite struct FailureListTests {
    private func list(_ output: String) async throws -> [Substring] {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let log = try directory.write(output, to: "tests.log")
        let script = URL(filePath: #filePath).appending(path: "../../../scripts/list-failures").standardizedFileURL
        let result = try await Subprocess.run(
            .path("/bin/bash"), arguments: ["\(script.path)", log], output: .string(limit: 1 << 20),
            error: .combinedWithOutput)
        #expect(result.terminationStatus.isSuccess, "\(result.standardOutput)")
        return result.standardOutput.split(separator: "\n")
    }

    private func failure(_ number: Int) -> String {
        """
        ✘ Test fails\(number)() recorded an issue at SomeTests.swift:\(number):9: Expectation failed: a == b
        ↳ it saw \(number)
        something else that it saw
        and a third line
        ✘ Test fails\(number)() recorded an issue at SomeTests.swift:\(number + 1):9: Expectation failed: c
        ✔ Test passes\(number)() passed after 0.1 seconds.
        something that a test prints

        """
    }

    @Test func eachFailedTestIsNamedWithItsPlaceAndWhatItSaw() async throws {
        let lines = try await list(
            "◇ Test run started.\n" + failure(1) + failure(2)
                + "✘ Test run with 4 tests in 1 suite failed after 1 seconds with 4 issues.\n")
        #expect(lines[0].hasPrefix("What failed: 2 tests with 4 issues."), "\(lines)")
        #expect(
            lines[1] == "✘ fails1() recorded an issue at SomeTests.swift:1:9: Expectation failed: a == b (and 1 more)")
        #expect(lines[2...3].joined().contains("it saw 1") && lines[3].contains("something else"), "\(lines)")
        #expect(lines[4].hasPrefix("✘ fails2() recorded an issue at SomeTests.swift:2:9"), "\(lines)")
        #expect(lines.last?.hasPrefix("✘ Test run with 4 tests") == true && lines.count == 8, "\(lines)")
    }

    @Test func manyFailuresFitIntoSixtyLines() async throws {
        let lines = try await list((1...40).map(failure).joined())
        #expect(lines.count <= 60)
        for number in 1...40 { #expect(lines.contains { $0.contains("fails\(number)()") }, "\(number)") }
        let more = try await list((1...200).map(failure).joined())
        #expect(more.count <= 60 && more.contains { $0.hasSuffix(" more tests") }, "\(more)")
    }

    /// As after a crash, which no test's end tells of.
    @Test func testsThatDidNotEndAreNamed() async throws {
        let lines = try await list(
            "◇ Test ends() started.\n◇ Test crashes() started.\n✔ Test ends() passed after 1 seconds.\n")
        #expect(lines.last == "  crashes()" && !lines.contains { $0.contains("ends()") }, "\(lines)")
    }
}

import Foundation
import JSON
import Testing

/// `sheetsync errors`: every code that a job's error can have.
@Suite(.serialized) struct ErrorsCommandTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    @Test func theDocumentHasTheProgramsTable() async throws {
        let table = try await Program()("errors", "--markdown").expect(0).line
        let document = try String(contentsOf: Self.root.appending(path: "docs/errors.md"), encoding: .utf8)
        #expect(
            document.contains("\n\(table)\n"),
            "put the output of `sheetsync errors --markdown` in place of the table in docs/errors.md")
    }

    @Test func noCodeIsMissingInTheTable() async throws {
        let json = try JSON(parsing: try await Program()("errors", "--json").expect(0).output)
        let listed = Set((json["errors"]?.array ?? []).compactMap { $0["code"]?.string })
        #expect(listed.count > 40 && json["schema"] == 1)
        let code = /["'](?<code>(google|export|payload|query|queue|settings)\.[a-z_]+)["']/
        var found: Set<String> = ["internal"]
        for module in ["Export", "Google", "JobQueue"] {
            let folder = Self.root.appending(path: "Sources/\(module)")
            for case let file as URL in try #require(
                FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
            where ["swift", "sql"].contains(file.pathExtension) {
                let text = try String(contentsOf: file, encoding: .utf8)
                found.formUnion(text.matches(of: code).map { String($0.code) })
            }
        }
        #expect(found == listed, "\(found.symmetricDifference(listed))")
    }

    @Test func oneCodeIsShownAlone() async throws {
        let ended = try await Program()("errors", "queue.worker_lost").expect(0)
        #expect(ended.output.hasPrefix("queue.worker_lost\n    The worker stopped"), "\(ended)")
        try await Program()("errors", "queue.nonsense").expectRefusal(1, "no error code queue.nonsense")
    }
}

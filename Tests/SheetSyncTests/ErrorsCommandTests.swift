import Foundation
import JSON
import Testing

/// `sheetsync errors`: every code that a job's error can have.
@Suite struct ErrorsCommandTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    @Test func theDocumentHasTheProgramsTable() async throws {
        let table = try await Program()("errors", "--markdown").expect(0).line
        let document = try String(contentsOf: Self.root.appending(path: "docs/errors.md"), encoding: .utf8)
        #expect(
            document.contains("\n\(table)\n"),
            "put the output of `sheetsync errors --markdown` in place of the table in docs/errors.md")
    }

    /// Every code of a table is used, by its name or as text in SQL, and every code in a text is one of a table.
    @Test func theTablesHaveTheCodesThatOccurAndNoOthers() async throws {
        let json = try JSON(parsing: try await Program()("errors", "--json").expect(0).output)
        let listed = Set((json["errors"]?.array ?? []).compactMap { $0["code"]?.string })
        #expect(listed.count > 40 && json["schema"] == 1)
        let code = /["'](?<code>internal|(google|export|payload|query|queue|settings|sync)\.[a-z_]+)["']/
        let row = /case `?(?<name>[A-Za-z]+)`? = "(?<code>[a-z_.]+)"/
        var names: [String: String] = [:]
        var (inTables, inTexts, used) = (Set<String>(), Set<String>(), Set<String>())
        for module in ["Export", "Google", "JobQueue"] {
            let folder = Self.root.appending(path: "Sources/\(module)")
            for case let file as URL in try #require(
                FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
            where ["swift", "sql"].contains(file.pathExtension) {
                let text = try String(contentsOf: file, encoding: .utf8)
                if ["ExportErrorCode.swift", "GoogleError+Code.swift", "QueueErrorCode.swift"].contains(
                    file.lastPathComponent)
                {
                    for match in text.matches(of: row) { names[String(match.code)] = String(match.name) }
                    inTables.formUnion(text.matches(of: code).map { String($0.code) })
                } else {
                    inTexts.formUnion(text.matches(of: code).map { String($0.code) })
                    used.formUnion(text.matches(of: /\.(?<name>[A-Za-z]+)\b/).map { String($0.name) })
                }
            }
        }
        #expect(inTables == listed, "\(inTables.symmetricDifference(listed))")
        #expect(inTexts.isSubset(of: listed), "\(inTexts.subtracting(listed))")
        let unused = listed.filter { !inTexts.contains($0) && !used.contains(names[$0] ?? "") }
        #expect(unused.isEmpty, "nothing uses \(unused.sorted())")
    }

    @Test func oneCodeIsShownAlone() async throws {
        let ended = try await Program()("errors", "queue.worker_lost").expect(0)
        #expect(ended.output.hasPrefix("queue.worker_lost\n    The worker stopped"), "\(ended)")
        try await Program()("errors", "queue.nonsense").expectRefusal(1, "no error code queue.nonsense")
    }
}

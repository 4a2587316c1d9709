import Export
import Foundation
import GoogleEmulator
import JSON
import JobQueue
import TestSupport
import Testing

/// Values right to the cell, as the emulator holds them and as gspread reads them.
@Suite struct CellTests {
    struct Sample {
        let type: String
        let value: JSON
        let cell: JSON

        init(_ type: String, _ value: JSON, _ cell: JSON) {
            self.type = type
            self.value = value
            self.cell = cell
        }

        /// Text that must stay as it is, whatever it looks like.
        init(text: String) { self.init("auto", .string(text), .string(text)) }
    }

    private static func number(_ text: String) throws -> JSON { try JSON(parsing: text) }

    static func samples() throws -> [Sample] {
        [
            Sample("auto", try number("123456789012345"), try number("123456789012345")),
            Sample("integer", try number("123456789012345"), try number("123456789012345")),
            Sample("auto", try number("12345678901234567"), "12345678901234567"),
            Sample("integer", "12345678901234567", "12345678901234567"),
            Sample("auto", try number("9007199254740992"), try number("9007199254740992")),
            Sample("number", "0.1", 0.1), Sample("number", "-1234.5678", -1234.5678), Sample("number", "1e3", 1000),
            Sample("number", "0.1234567890123456789", "0.1234567890123456789"),
            Sample("currency", "99.99", 99.99), Sample("percent", 0.25, 0.25),
            // Dates before 1900, and the days around the epoch of spreadsheets.
            Sample("date", "0001-01-01", -693_593), Sample("date", "1582-10-15", -115_858),
            Sample("date", "1815-12-10", -30_701), Sample("date", "1899-12-29", -1), Sample("date", "1899-12-30", 0),
            Sample("date", "1899-12-31", 1), Sample("date", "1900-02-28", 60), Sample("date", "1900-03-01", 61),
            Sample("date", "2024-02-29", 45_351), Sample("date", "9999-12-31", 2_958_465),
            Sample("time", "00:00", 0), Sample("time", "12:00:00", 0.5), Sample("time", "18:00", 0.75),
            // Over both changes of Berlin's clocks, and where no offset is given.
            Sample("datetime", "2026-03-29T00:59:59Z", .init(46_110 + 7_199.0 / 86_400)),
            Sample("datetime", "2026-03-29T01:00:00Z", .init(46_110 + 3.0 / 24)),
            Sample("datetime", "2026-10-25T00:30:00Z", .init(46_320 + 2.5 / 24)),
            Sample("datetime", "2026-10-25T01:30:00Z", .init(46_320 + 2.5 / 24)),
            Sample("datetime", "2026-07-01T12:00:00-05:00", .init(46_204 + 19.0 / 24)),
            Sample("datetime", "2026-07-01 12:00:00+00", .init(46_204 + 14.0 / 24)),
            Sample("datetime", "2026-07-01T12:00:00", 46_204.5), Sample("datetime", "1899-12-29T12:00:00", -0.5),
            Sample("boolean", true, true), Sample("boolean", false, false),
            Sample("link", "https://example.org/?a=b&c=d", "https://example.org/?a=b&c=d"),
            Sample("link", ["url": "mailto:a@example.org", "text": "=go"], "=go"),
            Sample("formula", "=1+1", ["formula": "=1+1"]),
            Sample("auto", nil, nil), Sample("auto", "", nil), Sample("date", nil, nil), Sample("text", nil, nil),
            Sample("text", try number("1.50"), "1.50"), Sample("text", true, "true"),
            Sample("auto", [1, ["a": nil]], #"[1,{"a":null}]"#),
        ]
            + [
                "=1+1", "+1", "-1", "@x", "'x", "''", "=HYPERLINK(\"http://evil\")", "007", "+49 30 123", "1e3", "TRUE",
                "2026-11-22", "12:30", "50%", "€5", " lead and trail ", "line\nbreak\r\ntab\t",
                "\u{1F469}\u{200D}\u{1F680}",
                "\u{1F3F4}\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}", "שלום עולם", "\u{202E}abc\u{202C}",
                "e\u{301} and é", "Z\u{351}\u{36B}a\u{321}l", "\"quotes\" \\ and / slashes", "\u{1}\u{7F}", "\u{FFFD}",
                String(repeating: "x", count: 50_000), String(repeating: "😀", count: 25_000), "null", "#REF!",
            ].map(Sample.init(text:))
    }

    /// One sample a row in a column of its type, and sheets of odd names and sizes.
    private static func payload() throws -> (payload: JSON, expected: JSON) {
        let samples = try samples()
        let types = samples.map(\.type).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        func row(_ sample: Sample, _ cell: JSON) -> JSON { .array(types.map { $0 == sample.type ? cell : nil }) }
        let wide = (0..<800).map { JSON($0) }
        let header = (0..<800).map { JSON.string("c\($0)") }
        let names = ["It's a \"tab\"", "a/b\\c:*?[]", "'", "=1", "日本 😀"]
        let sheets: [JSON] =
            [
                [
                    "name": "Types", "columns": .array(types.map { ["name": .string($0), "type": .string($0)] }),
                    "rows": .array(samples.map { row($0, $0.value) }),
                ],
                ["name": "Wide", "columns": .array(header), "rows": [.array(wide), [1], []]],
                ["name": "No header", "rows": [[1, nil, "x"], [], [nil, nil, nil, true]]],
            ] + names.map { ["name": .string($0), "columns": ["a"], "rows": [[.string($0)]]] }
        var expected = JSONObject()
        expected["Types"] = .array([.array(types.map(JSON.string))] + samples.map { row($0, $0.cell) })
        expected["Wide"] = [.array(header), .array(wide), [1], []]
        expected["No header"] = [[1, nil, "x"], [], [nil, nil, nil, true]]
        for name in names { expected[name] = [["a"], [.string(name)]] }
        return (
            ["title": "Cells", "time_zone": "Europe/Berlin", "sheets": .array(sheets)], .object(expected)
        )
    }

    private static func trimmed(_ rows: JSON?) -> [[JSON]] {
        (rows?.array ?? []).map { row in
            var cells = row.array ?? []
            while cells.last?.isNull == true { cells.removeLast() }
            return cells
        }
    }

    @Test func everyValueArrives() async throws {
        let (payload, expected) = try Self.payload()
        try await ExportStage.with { stage in
            try await stage.work { _ in
                let job = try await stage.export(payload)
                #expect(job.state == "completed", "\(job.json["errors"] ?? nil)")
                let sheets = try #require(stage.spreadsheet(job)?["sheets"]?.array)
                for (sheet, wanted) in zip(sheets, expected.object ?? JSONObject()) {
                    #expect(sheet["title"]?.string == wanted.name)
                    let (found, rows) = (Self.trimmed(sheet["values"]), Self.trimmed(wanted.value))
                    for (row, cells) in rows.enumerated() where row < found.count {
                        #expect(found[row] == cells, "\(wanted.name), row \(row + 1)")
                    }
                    #expect(found.count >= rows.filter { !$0.isEmpty }.count)
                }
                #expect(job.result?["warnings"]?.array?.count == 3, "\(job.result?["warnings"] ?? nil)")
            }
        }
    }

    @Test(.enabled("needs Python 3, venv and the packages of PyPI") { await PythonEnvironment.shared != nil })
    func gspreadReadsEveryValue() async throws {
        let python = try #require(await PythonEnvironment.shared)
        let (payload, expected) = try Self.payload()
        let folder = FileManager.default.temporaryDirectory.appending(path: "sheetsync-cells-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await ExportStage.with { stage in
            try await stage.work { _ in
                let job = try await stage.export(payload)
                let file = folder.appending(path: "expected.json")
                try Data(expected.bytes).write(to: file)
                try await stage.emulator.writeCredentials(to: folder.path)
                let result = try await python.run(
                    "scripts/check-export",
                    [
                        try await stage.emulator.baseURL, folder.path + "/service-account.json",
                        job.result?["spreadsheet_id"]?.string ?? "", file.path,
                    ])
                #expect(result.isSuccess, "\(result.output.prefix(5_000))")
                #expect(result.output.contains("ok          Types"), "\(result.output.prefix(5_000))")
            }
        }
    }

    @Test func anyMatrixComesBackEqual() async throws {
        var random = SeededGenerator(seed: 3)
        let texts = ["=1", "+1", "-", "'", "@a", "é", "e\u{301}", "😀", "\n", "0", "007", "x", "\u{202E}", "\"", "\\"]
        func value() -> JSON {
            switch Int.random(in: 0..<6, using: &random) {
            case 0: nil
            case 1: JSON(Bool.random(using: &random))
            case 2: JSON(Int.random(in: -1 << 53...1 << 53, using: &random))
            case 3: JSON(Double.random(in: -1e9...1e9, using: &random))
            default:
                .string(
                    (0..<Int.random(in: 1...4, using: &random)).map { _ in texts.randomElement(using: &random) ?? "" }
                        .joined())
            }
        }
        let matrices = (0..<12).map { _ -> [[JSON]] in
            let width = Int.random(in: 1...9, using: &random)
            return (0..<Int.random(in: 1...30, using: &random)).map { _ in (0..<width).map { _ in value() } }
        }
        try await ExportStage.with(batchBytes: 2_000) { stage in
            try await stage.work { _ in
                for matrix in matrices {
                    let rows = JSON.array(matrix.map(JSON.array))
                    let job = try await stage.export(["title": "M", "sheets": [["name": "M", "rows": rows]]])
                    #expect(job.state == "completed", "\(job.json)")
                    let found = Self.trimmed(stage.spreadsheet(job)?["sheets"]?[0]?["values"])
                    let wanted = Self.trimmed(rows)
                    #expect(Array(found.prefix(wanted.count)) == wanted)
                }
            }
        }
    }

    @Test func whatIsTooMuchForGoogleIsRefusedWithItsLimitBeforeAnyCall() async throws {
        try await ExportStage.with { stage in
            try await stage.work { queue in
                for (sql, path, parts) in [
                    ("'{}'::jsonb", "title", ["is missing"]),
                    (
                        "jsonb_build_object('title', 'x', 'sheets', (select jsonb_agg(jsonb_build_object('name', n::text, 'rows', '[]'::jsonb)) from generate_series(1, 201) n))",
                        "sheets", ["200", "201"]
                    ),
                    (
                        "jsonb_build_object('title', 'x', 'rows', (select jsonb_build_array(jsonb_agg(0)) from generate_series(1, 18279)))",
                        "payload", ["18,278", "18,279"]
                    ),
                    (
                        "jsonb_build_object('title', 'x', 'rows', (select jsonb_build_array(jsonb_agg(0)) from generate_series(1, 18278)) || (select jsonb_agg('[]'::jsonb) from generate_series(1, 547)))",
                        "payload", ["10,000,000", "10,016,344"]
                    ),
                    (
                        "jsonb_build_object('title', 'x', 'rows', jsonb_build_array(jsonb_build_array(repeat('x', 50001))))",
                        "rows[0][0]", ["50,000", "50,001"]
                    ),
                    (
                        "jsonb_build_object('title', repeat('x', 1001), 'rows', '[]'::jsonb)", "title",
                        ["1000", "1001"]
                    ),
                ] {
                    let id = Int(try await queue.psql("select sheetsync.enqueue('export', \(sql))")) ?? 0
                    let job = try await stage.ended(id)
                    #expect(job.state == "discarded" && job.lastError?.code == "payload.invalid")
                    let message = job.lastError?.message ?? ""
                    #expect(message.hasPrefix(path + ": ") && parts.allSatisfy(message.contains), "\(message)")
                }
                #expect(stage.emulator.journal.total == 0)
            }
        }
    }
}

import Export
import JSON
import JobQueue
import SheetModel
import TestSupport
import Testing

/// Payloads that were good before something happened to them are read or refused, and what is read can be planned.
@Suite struct PayloadMutationTests {
    static let good = [
        """
        {"title":"Orders","folder":"Team/2026","time_zone":"Europe/Berlin","locale":"de_DE","columns":["id",{"name":"price",
        "type":"currency","format":"EUR","width":120},{"name":"at","type":"datetime"}],"rows":[[1,"12.50","2026-11-22T10:00Z"],[2]]}
        """,
        """
        {"title":"T","folder":["a/b","c"],"template":"default","share":[],"dry_run":false,"sheets":[{"name":"A",
        "columns":[{"name":"d","type":"date"},{"name":"u","type":"link"},{"name":"f","type":"formula"},{"name":"t","type":"time"},
        {"name":"n","type":"integer","format":"0"},{"name":"p","type":"percent"},{"name":"b","type":"boolean"},"x"],
        "mode":"replace","rows":[{"d":"2026-11-22","u":{"url":"https://e.org","text":"E"},"f":"=1","t":"09:30","n":12345678901234567,
        "p":0.5,"b":true,"x":[1,{"a":null}]},{}]},{"name":"B","rows":[[1],[2,3,-0.0,1e400]]}]}
        """,
        #"{"title":"T","folder_id":"1aB","rows":[]}"#,
        """
        {"title":"T","copy_of":"1aB","template":"blue","dry_run":true,"rows":[[1]],"share":[{"type":"user",
        "email":"a@example.com","role":"reader","notify":true,"message":"m"},{"type":"domain","domain":"e.org","role":"writer"}]}
        """,
        #"{"spreadsheet_id":"1aB","share":[{"type":"anyone","role":"reader"}],"sheets":[{"name":"A","rows":[["x"]]}]}"#,
    ]

    private static let queried = CheckedSheet(
        name: "Q", columns: [], hasHeader: false, rows: NoRows(), warnings: [])

    private struct NoRows: RowSource {
        let count = 0

        func cursor(from row: Int) -> any RowCursor { Cursor() }

        private struct Cursor: RowCursor {
            func next() -> ArraySlice<UInt8>? { nil }
        }
    }

    @Test func valuesReplacedAnywhereNeverCrash() throws {
        var random = SeededGenerator(seed: 1)
        let seeds = try Self.good.map { try JSON(parsing: $0) }
        for seed in seeds { #expect(throws: Never.self) { try ExportPayload(seed) } }
        var read = 0
        var refused = 0
        for _ in 0..<3_000 {
            var payload = try #require(seeds.randomElement(using: &random))
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                payload = Self.mutated(payload, &random)
            }
            do {
                let export = try ExportPayload(payload)
                var batches = try SpreadsheetPlan(
                    export.spreadsheet(queried: export.queries.map { _ in Self.queried }), batchBytes: 1_000
                ).batches()
                while let batch = try batches.next() { #expect(throws: Never.self) { try JSON(parsing: batch.body) } }
                read += 1
            } catch let error as PayloadError {
                #expect(error.description.utf8.count < 2_000)
                refused += 1
            }
        }
        // Both ways were walked.
        #expect(read > 100 && refused > 100)
    }

    @Test func bytesChangedAnywhereNeverCrash() {
        var random = SeededGenerator(seed: 2)
        var (read, refused, unparsed) = (0, 0, 0)
        for _ in 0..<6_000 {
            var bytes = Array((Self.good.randomElement(using: &random) ?? "").utf8)
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let byte = Array("{}[]\",:0-ea \u{1}".utf8).randomElement(using: &random) ?? 0
                bytes[.random(in: 0..<bytes.count, using: &random)] = byte
            }
            guard let json = try? JSON(parsing: bytes) else {
                unparsed += 1
                continue
            }
            do {
                _ = try ExportPayload(json)
                read += 1
            } catch {
                refused += 1
            }
        }
        // All three ways were walked.
        #expect(read > 100 && refused > 100 && unparsed > 100, "\(read), \(refused), \(unparsed)")
    }

    /// A hundred of them through the queue and the worker: each job ends, and the next good one is done.
    @Test func aHundredMutatedJobsEndAndTheWorkerGoesOn() async throws {
        var random = SeededGenerator(seed: 4)
        let seeds = try Self.good.map { try JSON(parsing: $0) }
        try await ExportStage.with { stage in
            var jobs: [Int] = []
            while jobs.count < 100 {
                var payload = try #require(seeds.randomElement(using: &random))
                for _ in 0..<Int.random(in: 1...3, using: &random) { payload = Self.mutated(payload, &random) }
                let kind = jobs.count % 10 == 0 ? "format" : "export"
                // What Postgres does not take is none of the worker's business.
                guard payload.object != nil, let id = try? await stage.queue.jobs.enqueue(kind: kind, payload: payload)
                else { continue }
                jobs.append(id)
            }
            try await stage.work { queue in
                var codes: Set<String> = []
                for id in jobs {
                    let job = try await stage.ended(id)
                    if let error = job.lastError { codes.insert(error.code) }
                }
                #expect(codes.isSuperset(of: ["payload.invalid", "google.not_found"]), "\(codes)")
                #expect(!codes.contains("internal"), "\(codes)")
                #expect(try await queue.inspector.count(.outcome, where: "state = 'completed'") > 0)
                let good = try await stage.export(["title": "Good", "rows": [[1]]])
                #expect(good.state == "completed", "\(good.json)")
            }
        }
    }

    private static let strange: [JSON] = [
        nil, true, 0, -1, 1e300, "", " ", "x", "=1", "\u{0}", "Europe/Berlin", "../..", [], [[]], [nil], [:], ["a": 1],
        ["name": "n"],
        9_007_199_254_740_993, "2026-02-30", "12.50", "type", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59",
        .string(String(repeating: "é", count: 51_000)),
    ]

    /// Replaces, adds, removes or renames something at a random place.
    private static func mutated(_ value: JSON, _ random: inout SeededGenerator) -> JSON {
        switch value {
        case .array(var elements) where !elements.isEmpty && Int.random(in: 0..<8, using: &random) > 0:
            let place = Int.random(in: elements.indices, using: &random)
            switch Int.random(in: 0..<8, using: &random) {
            case 0: elements.remove(at: place)
            case 1: elements.append(elements[place])
            default: elements[place] = mutated(elements[place], &random)
            }
            return .array(elements)
        case .object(let object) where !object.isEmpty && Int.random(in: 0..<8, using: &random) > 0:
            var members = Array(object)
            let place = Int.random(in: members.indices, using: &random)
            switch Int.random(in: 0..<10, using: &random) {
            case 0: members.remove(at: place)
            case 1: members[place].name += "x"
            case 2: members[place].name = members.randomElement(using: &random)?.name ?? ""
            default: members[place].value = mutated(members[place].value, &random)
            }
            return .object(JSONObject(members))
        default: return strange.randomElement(using: &random) ?? nil
        }
    }
}

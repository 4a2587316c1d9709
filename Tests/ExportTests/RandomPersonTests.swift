import Export
import Foundation
import Google
import GoogleEmulator
import JSON
import JobQueue
import Synchronization
import TestSupport
import Testing

/// A mirror beside a person who sorts, inserts, deletes, moves, edits and filters, also between its read and its write, while
/// answers are lost: each key is there once, with the job's values, what the person has beside it stays beside it, and no row of
/// his is lost.
///
/// `SHEETSYNC_MIRROR_RUNS` asks for more runs than the gate has time for, `SHEETSYNC_MIRROR_SEED` for others.
@Suite(.serialized) struct RandomPersonTests {
    /// What the person knows that there must be.
    private struct Memory {
        /// What stands beside a row, by its key.
        var marks: [Int: String] = [:]
        /// Rows of the person's own, and those of them that were made while a job was at work.
        var rows: Set<String> = []
        var fresh: Set<String> = []
        /// Keys whose rows the person changed in the moment of a write: what they hold is not known until the next run.
        var touched: Set<Int> = []
        var next = 0
    }

    /// The person, who acts on the sheet as it is at that moment.
    private final class Person: CallGate {
        private let state: Mutex<(memory: Memory, random: SeededGenerator, acts: Bool, fault: Fault?, count: Int)>
        private let stage: ExportStage
        private let id: String

        init(_ stage: ExportStage, _ id: String, seed: UInt64) {
            (self.stage, self.id) = (stage, id)
            state = Mutex((Memory(), SeededGenerator(seed: seed), false, nil, 0))
        }

        func with<Result>(_ body: (inout Memory, inout SeededGenerator) throws -> Result) rethrows -> Result {
            try state.withLock { try body(&$0.memory, &$0.random) }
        }

        /// Lets the person act before the next write, and a fault strike it.
        func waitForWrite(acts: Bool, fault: Fault?) {
            state.withLock { state in (state.acts, state.fault) = (acts, fault) }
        }

        /// How often the person acted before a write.
        var count: Int { state.withLock { $0.count } }

        func admit(_ resource: GoogleResource) async throws(GoogleError) {
            guard resource == .sheetsWrite else { return }
            let (acts, fault) = state.withLock { state in
                defer { (state.acts, state.fault) = (false, nil) }
                state.count += state.acts ? 1 : 0
                return (state.acts, state.fault)
            }
            do { if acts { try await act(isInMoment: true) } } catch { Issue.record("the person: \(error)") }
            if let fault { stage.emulator.addFault(fault) }
        }

        func settle(_ resource: GoogleResource, _ error: GoogleError?) async -> GoogleError? { error }

        /// Does one thing.
        func act(isInMoment: Bool = false) async throws {
            let rows = (stage.values(id)?.array ?? []).map { $0.array ?? [] }
            let requests = with { memory, random in
                RandomPersonTests.act(on: rows, isInMoment: isInMoment, &memory, &random)
            }
            if !requests.isEmpty { try await stage.change(id, by: requests) }
        }
    }

    private static func dimension(_ name: String, _ start: Int, _ count: Int = 1) -> JSON {
        ["sheetId": 0, "dimension": .string(name), "startIndex": JSON(start), "endIndex": JSON(start + count)]
    }

    private static func write(_ value: JSON, _ row: Int, _ column: Int) -> JSON {
        let member: JSON = value.string == nil ? ["numberValue": value] : ["stringValue": value]
        return [
            "updateCells": [
                "start": ["sheetId": 0, "rowIndex": JSON(row), "columnIndex": JSON(column)],
                "fields": "userEnteredValue", "rows": [["values": [["userEnteredValue": member]]]],
            ]
        ]
    }

    private static func act(
        on rows: [[JSON]], isInMoment: Bool, _ memory: inout Memory, _ random: inout SeededGenerator
    ) -> [JSON] {
        let header = rows.first ?? []
        let width = header.count
        func place(_ name: JSON) -> Int { header.firstIndex(of: name) ?? 0 }
        func value(_ row: Int, _ name: JSON) -> JSON {
            let column = place(name)
            return column < rows[row].count ? rows[row][column] : nil
        }
        let row = rows.count > 1 ? Int.random(in: 1..<rows.count, using: &random) : 1
        let key = row < rows.count ? value(row, "id").int : nil
        switch Int.random(in: 0..<11, using: &random) {
        case 0, 1:
            return [
                [
                    "sortRange": [
                        "range": ["sheetId": 0, "startRowIndex": 1],
                        "sortSpecs": [
                            [
                                "dimensionIndex": JSON(Int.random(in: 0..<width, using: &random)),
                                "sortOrder": random.chance(50) ? "ASCENDING" : "DESCENDING",
                            ]
                        ],
                    ]
                ]
            ]
        case 2: return [["insertDimension": ["range": dimension("ROWS", row), "inheritFromBefore": false]]]
        case 3:
            memory.next += 1
            let name = "foreign \(memory.next)"
            if isInMoment { memory.fresh.insert(name) } else { memory.rows.insert(name) }
            var requests: [JSON] = [
                ["insertDimension": ["range": dimension("ROWS", row), "inheritFromBefore": false]],
                write(.string(name), row, place("mine")),
            ]
            if random.chance(50) { requests.append(write(.string("x\(memory.next)"), row, place("id"))) }
            return requests
        case 4:
            return [
                [
                    "moveDimension": [
                        "source": dimension("ROWS", row),
                        "destinationIndex": JSON(Int.random(in: 1...max(1, rows.count), using: &random)),
                    ]
                ]
            ]
        case 5:
            return [
                [
                    "moveDimension": [
                        "source": dimension("COLUMNS", Int.random(in: 0..<width, using: &random)),
                        "destinationIndex": JSON(Int.random(in: 0...width, using: &random)),
                    ]
                ]
            ]
        case 6:
            guard row < rows.count else { return [] }
            if let key {
                memory.marks[key] = nil
                memory.touched.insert(key)
            }
            if let mine = value(row, "mine").string {
                memory.rows.remove(mine)
                memory.fresh.remove(mine)
            }
            return [["deleteDimension": ["range": dimension("ROWS", row)]]]
        case 7:
            guard let key else { return [] }
            memory.touched.insert(key)
            return [write("edited", row, place(random.chance(50) ? "name" : "n"))]
        case 8:
            guard let key else { return [] }
            memory.next += 1
            memory.marks[key] = "mark \(memory.next)"
            return [write(.string("mark \(memory.next)"), row, place("mine"))]
        case 9: return [["setBasicFilter": ["filter": ["range": ["sheetId": 0]]]]]
        default:
            return [
                [
                    "updateDimensionProperties": [
                        "range": dimension("ROWS", row), "properties": ["hiddenByUser": true], "fields": "hiddenByUser",
                    ]
                ]
            ]
        }
    }

    /// Changes some rows, takes some away and adds some.
    private static func change(_ rows: inout [Int: (String, Int)], _ next: inout Int, _ random: inout SeededGenerator) {
        for key in rows.keys.sorted() where random.chance(15) {
            rows[key] = ("name \(next) \(Int.random(in: 0..<1_000, using: &random))", next)
        }
        for key in rows.keys.sorted() where rows.count > 10 && random.chance(6) { rows[key] = nil }
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            next += 1
            rows[next] = ("name \(next)", next)
        }
    }

    private static let firstSeed =
        ProcessInfo.processInfo.environment["SHEETSYNC_MIRROR_SEED"].flatMap { UInt64($0) } ?? 1

    @Test(arguments: firstSeed...firstSeed + 2) func neverLosesWhatIsBesideTheMirror(seed: UInt64) async throws {
        let runs = ProcessInfo.processInfo.environment["SHEETSYNC_MIRROR_RUNS"].flatMap(Int.init) ?? 60
        try await ExportStage.with { stage in
            let id = try await stage.makeTable([["mine", "id", "name", "n", "own"]])
            let person = Person(stage, id, seed: seed)
            var random = SeededGenerator(seed: seed &* 77)
            var (rows, next) = ([Int: (String, Int)](), 0)
            var (faults, mends, lostFresh, hasFailed) = (0, 0, 0, false)
            try await stage.sibling(gatedBy: person).work { _ in
                for run in 1...runs {
                    Self.change(&rows, &next, &random)
                    for _ in 0..<Int.random(in: 0...2, using: &random) { try await person.act() }
                    person.with { memory, _ in memory.touched = [] }
                    var fault: Fault?
                    if random.chance(15) {
                        faults += 1
                        let actions: [Fault.Action] = [.resetAfter, .resetBefore, .error(status: 503), .truncate]
                        fault = Fault(
                            actions[Int.random(in: 0..<4, using: &random)], api: .sheets, verb: "POST",
                            path: .contains(":batchUpdate"))
                    }
                    person.waitForWrite(acts: random.chance(50), fault: fault)
                    let list = rows.sorted { $0.key < $1.key }.map { key, row in
                        [JSON(key), .string(row.0), JSON(row.1)] as [JSON]
                    }
                    let job = try await stage.export(
                        MirrorTests.mirror(
                            id, columns: ["id", "name", "n"], list.shuffled(using: &random),
                            options: [("max_deletes", "100%")]))
                    try #require(job.state == "completed", "seed \(seed), run \(run): \(job.json)")
                    mends += (job.result?["warnings"]?.array ?? []).count {
                        $0.string?.contains("in the moment of the write") == true
                    }
                    let found = stage.values(id)
                    lostFresh += person.with { memory, _ in
                        Self.check(
                            found, rows, &memory, &hasFailed, "seed \(seed), run \(run): \(found ?? nil) \(job.json)")
                    }
                    if hasFailed { return }
                }
            }
            print(
                "seed \(seed): \(runs) runs, \(person.count) times in the moment of a write, \(mends) mended, \(faults) faults, "
                    + "\(lostFresh) rows lost that were made in that moment")
            #expect(mends > 0 && person.count > 0, "nothing was tried")
        }
    }

    /// Compares the sheet with what must be there; returns how many rows are gone that were made in the moment of a write.
    private static func check(
        _ found: JSON?, _ rows: [Int: (String, Int)], _ memory: inout Memory, _ hasFailed: inout Bool, _ comment: String
    ) -> Int {
        let lines = (found?.array ?? []).map { $0.array ?? [] }
        let header = lines.first ?? []
        func value(_ line: [JSON], _ name: JSON) -> JSON {
            guard let place = header.firstIndex(of: name) else { return nil }
            return place < line.count ? line[place] : nil
        }
        var byKey: [Int: [[JSON]]] = [:]
        var mine: Set<String> = []
        for line in lines.dropFirst() {
            if let key = value(line, "id").int { byKey[key, default: []].append(line) }
            if let text = value(line, "mine").string { mine.insert(text) }
        }
        var isRight = Set(byKey.keys).isSubset(of: rows.keys)
        #expect(
            isRight, "keys that are not to be there: \(Set(byKey.keys).subtracting(rows.keys).sorted()); \(comment)")
        for (key, row) in rows where !memory.touched.contains(key) {
            let lines = byKey[key] ?? []
            let right =
                lines.count == 1 && value(lines[0], "name") == .string(row.0) && value(lines[0], "n") == JSON(row.1)
            #expect(right, "key \(key) should be \(row), once, and is \(lines); \(comment)")
            isRight = isRight && right
        }
        memory.marks = memory.marks.filter { rows[$0.key] != nil }
        for (key, mark) in memory.marks {
            let right = (byKey[key] ?? []).contains { value($0, "mine") == .string(mark) }
            #expect(right, "beside key \(key) should be \(mark); \(comment)")
            isRight = isRight && right
        }
        let lost = memory.rows.subtracting(mine)
        #expect(lost.isEmpty, "rows of the person that are gone: \(lost); \(comment)")
        let lostFresh = memory.fresh.subtracting(mine).count
        memory.rows.formUnion(memory.fresh.intersection(mine))
        memory.fresh = []
        if !isRight || !lost.isEmpty { hasFailed = true }
        return lostFresh
    }
}

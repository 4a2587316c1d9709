import Export
import Google
import GoogleEmulator
import JSON
import JobQueue
import TestSupport
import Testing

/// Appends and upserts whose ends are unclear: every row is there once.
@Suite struct IncrementalSheetFaultTests {
    private static let rows = (0..<120).map { JSON.array([JSON($0), .string("row \($0)")]) }
    private static let expected: JSON = .array([["n", "text"], [-1, "there"]] + rows)

    /// Lets some writes pass and strikes the next one.
    private func strike(_ action: Fault.Action, write: Int, _ stage: ExportStage) -> Int {
        if write > 1 {
            stage.emulator.addFault(
                Fault(.delay(.zero), api: .sheets, verb: "POST", path: .contains(":batchUpdate"), count: write - 1))
        }
        return stage.emulator.addFault(Fault(action, api: .sheets, verb: "POST", path: .contains(":batchUpdate")))
    }

    @Test(
        arguments: [
            Fault.Action.resetAfter, .resetBefore, .truncate, .garbage, .error(status: 503), .html(status: 502),
        ], [1, 2])
    func appendsEachRowOnce(action: Fault.Action, write: Int) async throws {
        try await ExportStage.with(batchBytes: 3_000) { stage in
            let id = try await stage.makeTable([["n", "text"], [-1, "there"]])
            let fault = strike(action, write: write, stage)
            try await stage.work { _ in
                try await stage.completed(
                    stage.payload(id, "append", columns: ["n", "text"], .array(Self.rows)), attempt: 2)
                #expect(stage.emulator.strikes(of: fault) == 1)
                #expect(stage.values(id) == Self.expected, "\(action) \(write)")
            }
        }
    }

    @Test(arguments: [Fault.Action.resetAfter, .resetBefore, .error(status: 503)])
    func makesTheSheetOnceAndAppendsTheRest(action: Fault.Action) async throws {
        try await ExportStage.with(batchBytes: 3_000) { stage in
            let id = try await stage.makeSpreadsheet("Theirs")
            let fault = strike(action, write: 1, stage)
            try await stage.work { _ in
                try await stage.completed(
                    stage.payload(id, "append", columns: ["n", "text"], .array(Self.rows), sheet: "New"), attempt: 2)
                #expect(stage.emulator.strikes(of: fault) == 1)
                #expect(stage.values(id, sheet: 1) == .array([["n", "text"]] + Self.rows))
            }
        }
    }

    @Test(arguments: [Fault.Action.resetAfter, .resetBefore, .truncate, .error(status: 503)], [1, 2, 3, 4])
    func upsertsEachRowOnce(action: Fault.Action, write: Int) async throws {
        try await ExportStage.with(batchBytes: 3_000) { stage in
            let there = (0..<60).map { JSON.array([JSON($0), "old"]) }
            let id = try await stage.makeTable([["n", "text"], [-1, "there"]] + there.map { $0.array ?? [] })
            let fault = strike(action, write: write, stage)
            try await stage.work { _ in
                try await stage.completed(
                    stage.payload(id, "upsert", key: ["n"], columns: ["n", "text"], .array(Self.rows)), attempt: 2)
                #expect(stage.emulator.strikes(of: fault) == 1)
                #expect(stage.values(id) == Self.expected, "\(action) \(write)")
            }
        }
    }

    /// One of two writes is refused where the first one of a worker that was taken for dead takes effect late.
    ///
    /// That may be after another worker's write, or before it, when that worker has read the sheet already.
    @Test(arguments: ["append", "upsert"], [false, true])
    func aWriteOfADeadWorkerThatArrivesLateDoublesNothing(mode: String, isBetweenReadAndWrite: Bool) async throws {
        try await ExportStage.with(batchBytes: 3_000) { stage in
            let id = try await stage.makeTable([["n", "text"], [-1, "there"]])
            let payload = stage.payload(
                id, mode, key: mode == "upsert" ? ["n"] : nil, columns: ["n", "text"], .array(Self.rows))
            func late() -> [Journal.Entry] { stage.emulator.journal.entries.filter(\.isFault) }
            let first = delayWrite(stage)
            let job = try await stage.queue.jobs.enqueue(kind: "export", payload: payload)
            try await stage.work(change: { $0.shutdownGrace = .zero }) { _ in
                try await wait(for: "the first write") { stage.emulator.strikes(of: first) == 1 }
            }
            let second = isBetweenReadAndWrite ? delayWrite(stage) : nil
            try await stage.work { _ in
                if let second {
                    try await wait(for: "the second write") { stage.emulator.strikes(of: second) == 1 }
                    stage.emulator.removeFault(first)
                    try await wait(for: "the first write to take effect") { late().count == 1 }
                    stage.emulator.removeFault(second)
                }
                let job = try await stage.ended(job)
                #expect(job.state == "completed", "\(job.json)")
            }
            stage.emulator.removeFault(first)
            let expected = isBetweenReadAndWrite ? [200, 400] : [400]
            try await wait(for: "the late writes", seeing: { "\(late())" }) { late().count == expected.count }
            #expect(late().map(\.status) == expected)
            #expect(stage.values(id) == Self.expected)
        }
    }

    /// Lets the next write take effect when the fault is lifted.
    private func delayWrite(_ stage: ExportStage) -> Int {
        stage.emulator.addFault(
            Fault(.delay(.seconds(600)), api: .sheets, verb: "POST", path: .contains(":batchUpdate")))
    }

    @Test func aLateUpsertOfADeadWorkerDoesNotBringOldValuesBack() async throws {
        try await ExportStage.with { stage in
            let id = try await stage.makeTable([["n", "text"], [1, "old"], [2, "old"]])
            func upsert(_ text: String) -> JSON {
                let value = JSON.string(text)
                return stage.payload(id, "upsert", key: ["n"], columns: ["n", "text"], [[1, value], [2, value]])
            }
            let fault = delayWrite(stage)
            let job = try await stage.queue.jobs.enqueue(kind: "export", payload: upsert("first"))
            try await stage.work(change: { $0.shutdownGrace = .zero }) { _ in
                try await wait(for: "the first write") { stage.emulator.strikes(of: fault) == 1 }
            }
            try await stage.work { _ in
                #expect(try await stage.ended(job).state == "completed")
                try await stage.completed(upsert("second"))
            }
            stage.emulator.removeFault(fault)
            func late() -> [Int?] { stage.emulator.journal.entries.filter(\.isFault).map(\.status) }
            try await wait(for: "the late write") { late().count == 1 }
            #expect(late() == [400])
            #expect(stage.values(id) == [["n", "text"], [1, "second"], [2, "second"]])
        }
    }

    @Test func aDiscardedJobThatIsRetriedAfterOthersGoesOnBehindItsRows() async throws {
        try await ExportStage.with(batchBytes: 3_000) { stage in
            let id = try await stage.makeTable([["n", "text"], [-1, "there"]])
            _ = strike(.error(status: 403, reason: "forbidden"), write: 2, stage)
            try await stage.work { queue in
                let job = try await stage.export(
                    stage.payload(id, "append", columns: ["n", "text"], .array(Self.rows)))
                #expect(job.state == "discarded", "\(job.json)")
                #expect(job.lastError?.message.contains("rows of this job stand in the sheet already") == true)
                for number in 1000..<1010 {
                    try await stage.completed(
                        stage.payload(id, "append", columns: ["n", "text"], [[JSON(number), "other"]]))
                }
                _ = try await queue.psql("select sheetsync.retry(\(job.id))")
                #expect(try await stage.ended(job.id).state == "completed")
                let found = stage.values(id)?.array ?? []
                #expect(found.count == 2 + 120 + 10)
                #expect(found.filter { $0[1]?.string?.hasPrefix("row") == true } == Self.rows)
            }
        }
    }

    private func small(_ id: String, _ number: Int, _ stage: ExportStage) async throws {
        try await stage.completed(stage.payload(id, "append", columns: ["n", "text"], [[JSON(number), "other"]]))
    }

    /// An append ends behind its first two writes, and so many others come that its notes are gone.
    @Test(arguments: [Fault.Action.error(status: 403, reason: "forbidden"), .resetAfter])
    func anAppendWhoseNotesMadeRoomForOthersDoublesNothing(action: Fault.Action) async throws {
        try await ExportStage.with(batchBytes: 3_000) { stage in
            let id = try await stage.makeTable([["n", "text"], [-1, "there"]])
            _ = strike(action, write: 3, stage)
            try await stage.work { queue in
                let job = try await queue.jobs.enqueue(
                    kind: "export", payload: stage.payload(id, "append", columns: ["n", "text"], .array(Self.rows)),
                    maxAttempts: 1)
                let ended = try await stage.ended(job)
                #expect(ended.state == "discarded", "\(ended.json)")
                #expect(ended.result?["spreadsheet_id"]?.string == id, "\(ended.json)")
                let words = ended.result?["warnings"]?[0]?.string ?? ""
                #expect(words.contains("sheets[0]: ") && words.contains("rows are appended"), "\(ended.json)")
                for number in 1000..<1033 { try await small(id, number, stage) }
                let notes = stage.state(id)?["developer_metadata"]?.array ?? []
                let values = notes.compactMap { $0["metadataValue"]?.string?.split(separator: "/") }
                let jobs = values.compactMap { $0.dropFirst().first.flatMap { JobTag($0)?.number } }
                #expect(jobs.count == 31 && !jobs.contains(job), "\(notes)")
                let before = stage.values(id)
                _ = try await queue.psql("select sheetsync.retry(\(job))")
                let again = try await stage.ended(job)
                if action == .resetAfter {
                    // Nobody can tell any more whether the third write was done.
                    #expect(
                        again.state == "discarded" && again.lastError?.code == "export.rows_changed", "\(again.json)")
                    #expect(again.lastError?.message.contains("not to be found out") == true, "\(again.json)")
                    #expect(stage.values(id) == before)
                } else {
                    #expect(again.state == "completed", "\(again.json)")
                    let found = stage.values(id)?.array ?? []
                    #expect(found.count == 2 + 120 + 33)
                    #expect(found.filter { $0[1]?.string?.hasPrefix("row") == true } == Self.rows)
                }
            }
        }
    }

    @Test func anAppendWhoseNotesAPersonTookAwayIsNotBegunAnew() async throws {
        try await ExportStage.with(batchBytes: 3_000) { stage in
            let id = try await stage.makeTable([["n", "text"], [-1, "there"]])
            _ = strike(.error(status: 403, reason: "forbidden"), write: 2, stage)
            try await stage.work { queue in
                let job = try await stage.export(
                    stage.payload(id, "append", columns: ["n", "text"], .array(Self.rows)))
                #expect(job.state == "discarded", "\(job.json)")
                try await stage.change(
                    id,
                    by: [
                        [
                            "deleteDeveloperMetadata": [
                                "dataFilter": ["developerMetadataLookup": ["metadataKey": "sheetsync_rows"]]
                            ]
                        ]
                    ])
                let before = stage.values(id)
                _ = try await queue.psql("select sheetsync.retry(\(job.id))")
                let again = try await stage.ended(job.id)
                #expect(again.state == "discarded" && again.lastError?.code == "export.rows_changed", "\(again.json)")
                #expect(stage.values(id) == before)
            }
        }
    }

    @Test func anAppendThatAlwaysFailsAtItsFirstWriteBeginsWithTheFirstRow() async throws {
        try await ExportStage.with(batchBytes: 3_000) { stage in
            let id = try await stage.makeTable([["n", "text"], [-1, "there"]])
            try await stage.work { queue in
                // Its number is lower than those of all jobs that leave notes before it runs.
                let late = try await queue.psql(
                    """
                    select sheetsync.enqueue('export', $$\(
                        stage.payload(id, "append", columns: ["n", "text"], .array(Self.rows)))$$,
                        run_at => now() + interval '1 hour')
                    """)
                for number in 1000..<1032 { try await small(id, number, stage) }
                _ = strike(.error(status: 503), write: 1, stage)
                try await queue.inspector.makeDue()
                let job = try await stage.ended(try #require(Int(late)))
                #expect(job.state == "completed" && job.json["attempt"] == 2, "\(job.json)")
                let found = stage.values(id)?.array ?? []
                #expect(found.filter { $0[1]?.string?.hasPrefix("row") == true } == Self.rows)
            }
        }
    }

    @Test(arguments: ["append", "upsert"]) func whatIsTooMuchAtOnceIsSentInHalves(mode: String) async throws {
        try await ExportStage.with(batchBytes: 20_000) { stage in
            let id = try await stage.makeTable([["n", "text"]])
            // Of letters that do not compress well.
            var random = SeededGenerator(seed: 5)
            let rows = (0..<600).map { number -> JSON in
                [
                    JSON(number),
                    .string(String((0..<60).map { _ in "abcdefghijklmnopqrstuvwxyz".randomElement(using: &random)! })),
                ]
            }
            let fault = stage.emulator.addFault(
                Fault(.error(status: 504), api: .sheets, verb: "POST", path: .contains(":batchUpdate"), count: 4))
            try await stage.work { _ in
                try await stage.completed(
                    stage.payload(id, mode, key: mode == "upsert" ? ["n"] : nil, columns: ["n", "text"], .array(rows)),
                    attempt: 5)
                #expect(stage.emulator.strikes(of: fault) == 4)
                let sizes = stage.emulator.journal.entries.filter(\.isFault).map(\.bodyBytes)
                try #require(sizes.count == 4 && abs(sizes[0] - sizes[1]) < 200, "\(sizes)")
                #expect(sizes[2] < sizes[1] * 2 / 3 && sizes[3] < sizes[2] * 2 / 3, "\(sizes)")
                #expect(stage.values(id) == .array([["n", "text"]] + rows))
            }
        }
    }

    @Test func notesOnASheetDoNotGrowWithoutEnd() async throws {
        try await ExportStage.with(batchBytes: 100) { stage in
            let id = try await stage.makeTable([["n", "text"]])
            try await stage.work { _ in
                for _ in 1...2 {
                    try await stage.completed(
                        stage.payload(id, "append", columns: ["n", "text"], .array(Array(Self.rows.prefix(50)))))
                }
                #expect(stage.values(id)?.array?.count == 101)
                #expect(stage.state(id)?["developer_metadata"]?.array?.count == 60)
            }
        }
    }

    /// Of the job, of one with the same number as after a restore, or of no job that there can be.
    @Test(arguments: ["another/JOB/1", "OWN/JOB/-1", "OWN/JOB/\(Int.max)", "OWN/NUMBER-ffffffff/1", "OWN/NUMBER/1"])
    func aNoteOfAnotherInstallationOrJobOrOfNonsenseSaysNothing(form: String) async throws {
        try await ExportStage.with { stage in
            let id = try await stage.makeTable([["n", "text"]])
            let job = try await stage.queue.jobs.enqueue(
                kind: "export", payload: stage.payload(id, "append", columns: ["n", "text"], [[1, "a"]]))
            let own = try await stage.queue.schema.installation(on: stage.queue.connection)
            let tag = try await stage.tag(of: job)
            let value = form.replacing("OWN", with: own).replacing("NUMBER", with: "\(job)").replacing("JOB", with: tag)
            try await stage.change(
                id,
                by: [
                    [
                        "createDeveloperMetadata": [
                            "developerMetadata": [
                                "metadataKey": "sheetsync_rows", "metadataValue": .string(value),
                                "visibility": "DOCUMENT", "location": ["sheetId": 0],
                            ]
                        ]
                    ]
                ])
            try await stage.work { _ in
                let ended = try await stage.ended(job)
                #expect(ended.state == "completed" && ended.json["attempt"] == 1, "\(value) \(ended.json)")
            }
            #expect(stage.values(id) == [["n", "text"], [1, "a"]], "\(value)")
            #expect(stage.state(id)?["developer_metadata"]?.array?.count == 2, "\(value)")
        }
    }
}

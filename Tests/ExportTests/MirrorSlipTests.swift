import Export
import Google
import GoogleEmulator
import JSON
import JobQueue
import Synchronization
import TestSupport
import Testing

/// What a person does between a mirror's read and its write is noticed, and what the write did in wrong places is put right.
@Suite struct MirrorSlipTests {
    /// Changes a spreadsheet right before the first write that goes through the gate.
    private final class Moment: CallGate {
        private let isDone = Mutex(false)
        private let change: @Sendable () async throws -> Void

        init(_ change: @escaping @Sendable () async throws -> Void) { self.change = change }

        func admit(_ resource: GoogleResource) async throws(GoogleError) {
            guard resource == .sheetsWrite,
                isDone.withLock({ done in
                    defer { done = true }
                    return !done
                })
            else { return }
            do { try await change() } catch { Issue.record("the person's change: \(error)") }
        }

        func settle(_ resource: GoogleResource, _ error: GoogleError?) async -> GoogleError? { error }
    }

    /// Mirrors rows once, and then others, with a change of a person right before the second write.
    private func mirror(
        _ table: [[JSON]], _ first: [[JSON]], then second: [[JSON]], options: [(String, JSON)] = [],
        columns: JSON = ["id", "name"], changing requests: [JSON], fault: Fault? = nil,
        _ check: (ExportStage, String, JobRecord) async throws -> Void
    ) async throws {
        try await ExportStage.with { stage in
            let id = try await stage.makeTable(table)
            let options = options + [("max_deletes", "100%")]
            try await stage.work { _ in
                try await stage.completed(MirrorTests.mirror(id, columns: columns, first, options: options))
            }
            let moment = Moment {
                try await stage.change(id, by: requests)
                if let fault { stage.emulator.addFault(fault) }
            }
            try await stage.sibling(gatedBy: moment).work { _ in
                let job = try await stage.completed(MirrorTests.mirror(id, columns: columns, second, options: options))
                #expect(
                    job.result?["warnings"]?.description.contains("in the moment of the write") == true, "\(job.json)")
                try await check(stage, id, job)
            }
        }
    }

    private static func move(_ dimension: String, _ from: Int, to destination: Int) -> JSON {
        [
            "moveDimension": [
                "source": [
                    "sheetId": 0, "dimension": .string(dimension), "startIndex": JSON(from), "endIndex": JSON(from + 1),
                ], "destinationIndex": JSON(destination),
            ]
        ]
    }

    private static let rowAtTheTop: JSON = [
        "insertDimension": ["range": ["sheetId": 0, "dimension": "ROWS", "startIndex": 1, "endIndex": 2]]
    ]

    @Test func bringsBackARowThatItDeletedInPlaceOfItsOwn() async throws {
        try await mirror(
            [["id", "name", "mine"], ["x", "foreign", "note"]], [[1, "a"], [2, "b"], [3, "c"]],
            then: [[1, "A"], [2, "b"]], changing: [Self.move("ROWS", 1, to: 5)]
        ) { stage, id, _ in
            #expect(
                Set(stage.values(id)?.array ?? []) == [
                    ["id", "name", "mine"], [1, "A"], [2, "b"], ["x", "foreign", "note"],
                ], "\(stage.values(id) ?? nil)")
        }
    }

    @Test func bringsBackARowThatItWroteOverWithANewOne() async throws {
        try await mirror(
            [["id", "name", "mine"], ["x", "foreign", "note"]], [[1, "a"]], then: [[1, "a"], [2, "b"]],
            options: [("header_row", 1)], changing: [Self.rowAtTheTop]
        ) { stage, id, _ in
            let rows = stage.values(id)?.array ?? []
            #expect(rows.contains { $0[0] == "x" && $0[1] == "foreign" && $0[2] == "note" }, "\(rows)")
            #expect(rows.count { $0[0] == 1 } == 1 && rows.count { $0[0] == 2 } == 1, "\(rows)")
        }
    }

    @Test func bringsBackFormulasAndKeysOfColumnsThatWereMoved() async throws {
        try await mirror(
            [["id", "name", "sum", ""], [1, "a", "=A2*10", "by hand"], [2, "b", "=A3*10", "too"]],
            [[1, "a"], [2, "b"]],
            then: [[1, "A"], [2, "B"], [3, "c"]], changing: [Self.move("COLUMNS", 1, to: 4)]
        ) { stage, id, _ in
            let rows = stage.values(id)?.array ?? []
            #expect(rows[0] == ["id", "sum", nil, "name"], "\(rows)")
            #expect(rows[1] == [1, ["formula": "=A2*10"], "by hand", "A"], "\(rows)")
            #expect(rows[2] == [2, ["formula": "=A3*10"], "too", "B"], "\(rows)")
            #expect(rows[3...].filter { $0[0] == 3 } == [[3, nil, nil, "c"]], "\(rows)")
        }
        // The key's column stands where names were written.
        try await mirror(
            [["id", "name"]], [[1, "a"], [2, "b"]], then: [[1, "A"], [2, "B"]],
            changing: [Self.move("COLUMNS", 0, to: 2)]
        ) { stage, id, _ in
            #expect(stage.values(id) == [["name", "id"], ["A", 1], ["B", 2]], "\(stage.values(id) ?? nil)")
        }
    }

    @Test func readsAgainUntilItKnowsWhatToPutRight() async throws {
        let fault = Fault(.error(status: 503), api: .sheets, path: .contains(":getByDataFilter"), count: 2)
        try await mirror(
            [["id", "name", "mine"], ["x", "foreign", "note"]], [[1, "a"], [2, "b"]], then: [[1, "A"]],
            changing: [Self.move("ROWS", 1, to: 4)], fault: fault
        ) { stage, id, job in
            #expect(job.json["attempt"] == 1)
            #expect(
                Set(stage.values(id)?.array ?? []) == [["id", "name", "mine"], [1, "A"], ["x", "foreign", "note"]],
                "\(stage.values(id) ?? nil)")
        }
    }

    @Test func addsNoColumnOverFormulasAndNoKey() async throws {
        try await ExportStage.with { stage in
            let id = try await stage.makeTable([["id", "name", "mine"], [1, "a", "x", "=IF(A2>5,\"late\",\"\")"]])
            try await stage.work { _ in
                let columns: JSON = ["id", "name", "price"]
                let add: [(String, JSON)] = [("new_columns", "add")]
                let job = try await stage.completed(
                    MirrorTests.mirror(id, columns: columns, [[1, "a", 2]], options: add))
                #expect(job.result?["warnings"]?.description.contains("added at the right") == true, "\(job.json)")
                #expect(stage.values(id)?[1]?[3]?["formula"] != nil && stage.values(id)?[1]?[4] == 2)
                try await stage.change(
                    id,
                    by: [
                        [
                            "updateCells": [
                                "start": ["sheetId": 0, "rowIndex": 0, "columnIndex": 0], "fields": "userEnteredValue",
                                "rows": [["values": [["userEnteredValue": ["stringValue": "ID no"]]]]],
                            ]
                        ]
                    ])
                let refused = try await stage.export(
                    MirrorTests.mirror(id, columns: columns, [[1, "b", 2]], options: add))
                #expect(refused.json["errors"]?[0]?["code"] == "export.header_mismatch", "\(refused.json)")
            }
        }
    }
}

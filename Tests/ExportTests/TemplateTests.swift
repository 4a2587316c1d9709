import Export
import Foundation
import GoogleEmulator
import JSON
import JobQueue
import Postgres
import TestSupport
import Testing

@Suite struct TemplateTests {
    private static let brand: JSON = [
        "header": [
            "backgroundColor": ["red": 0.2, "green": 0.4, "blue": 0.6],
            "textFormat": ["bold": true, "foregroundColor": ["red": 1, "green": 1, "blue": 1]],
            "horizontalAlignment": "CENTER",
        ],
        "body": ["textFormat": ["fontFamily": "Roboto", "fontSize": 11], "wrapStrategy": "CLIP"],
        "alternateRow": ["backgroundColor": ["red": 0.9, "green": 0.9, "blue": 0.9]],
        "frozenRows": 2, "filter": true, "columnWidths": [111, 222],
    ]

    private func withTemplates(_ files: [String: String], _ body: (String) async throws -> Void) async throws {
        let directory = FileManager.default.temporaryDirectory.appending(
            path: "sheetsync-templates-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: directory) }
        for (name, text) in files { try Data(text.utf8).write(to: directory.appending(path: name)) }
        try await body(directory.path)
    }

    @Test func formatsANewSpreadsheetAsTheFileSays() async throws {
        try await withTemplates(["brand.json": Self.brand.description]) { path in
            try await ExportStage.with(templates: path) { stage in
                try await stage.work { _ in
                    let job = try await stage.export([
                        "title": "Branded", "template": "brand",
                        "columns": ["a", "b", ["name": "c", "width": 333], "d"], "rows": [[1, 2, 3, 4], [5], [6]],
                    ])
                    #expect(job.state == "completed", "\(job.json)")
                    let id = job.result?["spreadsheet_id"]?.string
                    let state = stage.emulator.state(spreadsheetID: id, formatRanges: ["A1:A1", "A2:A2"])
                    let spreadsheet = try #require(state["spreadsheets"]?[0])
                    let sheet = try #require(spreadsheet["sheets"]?[0])
                    #expect(sheet["frozen_rows"] == 2)
                    #expect(sheet["basic_filter"]?["range"]?["endRowIndex"] == 4)
                    #expect(sheet["column_widths"]?.array?.prefix(3) == [111, 222, 333])
                    #expect(sheet["bandings"]?.array?.count == 1)
                    let header = spreadsheet["formats"]?["A1:A1"]?[0]?[0]
                    #expect(header?["textFormat"]?["bold"] == true && header?["horizontalAlignment"] == "CENTER")
                    let body = spreadsheet["formats"]?["A2:A2"]?[0]?[0]
                    #expect(body?["textFormat"]?["fontFamily"] == "Roboto" && body?["wrapStrategy"] == "CLIP")
                    #expect(stage.emulator.journal.counts["sheets.spreadsheets.batchUpdate"] == 1)
                }
            }
        }
    }

    @Test func aNameThatThereIsNotIsAnErrorOfThePayload() async throws {
        try await withTemplates(["brand.json": "{}"]) { path in
            try await ExportStage.with(templates: path) { stage in
                try await stage.work { _ in
                    for name in ["brnad", "../brand", ""] {
                        let job = try await stage.export(["title": "x", "rows": [], "template": .string(name)])
                        #expect(job.state == "discarded" && job.lastError?.code == "payload.invalid", "\(job.json)")
                        #expect(job.lastError?.message.hasPrefix("template: ") == true)
                    }
                    let job = try await stage.export(["title": "x", "rows": [], "template": "brnad"])
                    #expect(job.lastError?.message.contains(#"did you mean "brand"?"#) == true)
                    #expect(stage.emulator.journal.total == 0)
                }
            }
        }
    }

    static let broken: [(String, String)] = [
        ("{", "not valid JSON"), ("[]", "the file: expected an object"),
        (#"{"headr":{}}"#, #""headr" is no field of a template"#),
        (#"{"header":{"textFormat":{"bold":"yes"}}}"#, #"header.textFormat.bold: expected true or false, got "yes""#),
        (#"{"header":{"textFormat":{"boldness":true}}}"#, #""header.textFormat.boldness" is no field"#),
        (#"{"body":{"backgroundColor":{"red":255}}}"#, "body.backgroundColor.red: expected a number from 0"),
        (#"{"body":{"horizontalAlignment":"MITTE"}}"#, "body.horizontalAlignment: expected one of LEFT, CENTER, RIGHT"),
        (#"{"body":{"borders":{"top":{"style":"WAVY"}}}}"#, "body.borders.top.style: expected one of"),
        (#"{"alternateRow":{"textFormat":{"bold":true}}}"#, "alternateRow.textFormat: only the background"),
        (#"{"frozenRows":-1}"#, "frozenRows: expected a whole number from 0 to 100, got -1"),
        (#"{"filter":1}"#, "filter: expected true or false, got 1"),
        (#"{"columnWidths":[100,5]}"#, "columnWidths[1]: expected a whole number from 10 to 2000, got 5"),
    ]

    @Test func aBadFileIsNamedWithTheFieldAndMendedWithoutARestart() async throws {
        try await withTemplates([:]) { path in
            try await ExportStage.with(templates: path) { stage in
                try await stage.work { queue in
                    for (text, part) in Self.broken {
                        let file = path + "/bad.json"
                        try Data(text.utf8).write(to: URL(filePath: file))
                        let id = try await queue.jobs.enqueue(
                            kind: "export", payload: ["title": "x", "rows": [], "template": "bad"])
                        try await wait(for: "a reason") {
                            try await queue.jobs.find(id)?.json["waits_for"]?["code"] == "export.template_invalid"
                        }
                        let reason = try await queue.jobs.find(id)?.json["waits_for"]?["message"]?.string ?? ""
                        #expect(try await queue.jobs.find(id)?.json["waits_for"]?["needs_mending"] == true)
                        #expect(reason.contains(file) && reason.contains(part), "\(reason)")
                        #expect(stage.files("spreadsheet").isEmpty)
                        try Data("{}".utf8).write(to: URL(filePath: file))
                        try await queue.inspector.makeDue(id)
                        let job = try await stage.ended(id)
                        #expect(job.state == "completed" && job.json["attempt"] == 1, "\(job.json)")
                        try await stage.delete(try #require(job.result?["spreadsheet_id"]?.string))
                        // No attempt had begun to make it, so none looks for it.
                        #expect(stage.emulator.journal.counts["drive.files.list"] == nil)
                    }
                }
            }
        }
    }

    @Test func formatsAnExistingSpreadsheetAsOftenAsAsked() async throws {
        try await withTemplates(["brand.json": Self.brand.description]) { path in
            try await ExportStage.with(templates: path) { stage in
                try await stage.work { _ in
                    let made = try await stage.export([
                        "title": "Plain",
                        "sheets": [
                            [
                                "name": "A", "columns": [["name": "d", "type": "date"]],
                                "rows": [["2026-11-22"], ["2026-11-23"], [nil]],
                            ],
                            ["name": "B", "rows": [[1], [2]]],
                        ],
                    ])
                    let id = try #require(made.result?["spreadsheet_id"])
                    stage.emulator.clearJournal()
                    for _ in 0..<2 {
                        let job = try await stage.run(
                            "format", ["spreadsheet_id": id, "template": "brand", "sheets": ["a"]])
                        #expect(job.state == "completed", "\(job.json)")
                        #expect(job.result?["sheets"]?.array?.map { $0["name"] } == ["A"])
                        #expect(job.result?["api_calls"] == 3)
                    }
                    let state = stage.emulator.state(spreadsheetID: id.string, formatRanges: ["A!A1:A2", "B!A1:A1"])
                    let spreadsheet = try #require(state["spreadsheets"]?[0])
                    let formats = spreadsheet["formats"]?["A!A1:A2"]
                    #expect(formats?[0]?[0]?["textFormat"]?["bold"] == true)
                    #expect(formats?[1]?[0]?["textFormat"]?["fontFamily"] == "Roboto")
                    #expect(formats?[1]?[0]?["numberFormat"]?["type"] == "DATE", "number formats stay")
                    #expect(spreadsheet["sheets"]?[0]?["values"] == [["d"], [46348], [46349], [nil]])
                    #expect(spreadsheet["sheets"]?[0]?["bandings"]?.array?.count == 1)
                    #expect(spreadsheet["sheets"]?[0]?["frozen_rows"] == 2)
                    #expect(spreadsheet["formats"]?["B!A1:A1"]?[0]?[0]?["textFormat"] == nil)
                    let all = try await stage.run("format", ["spreadsheet_id": id, "template": "default"])
                    #expect(all.result?["sheets"]?.array?.count == 2, "\(all.json)")
                    let missing = try await stage.run(
                        "format", ["spreadsheet_id": id, "template": "default", "sheets": ["A", "C"]])
                    #expect(missing.lastError?.code == "export.sheet_not_found")
                    #expect(missing.lastError?.message.hasPrefix("sheets[1]: ") == true)
                }
            }
        }
    }

    @Test(arguments: [
        (#"{}"#, "spreadsheet_id"), (#"{"spreadsheet_id":"x"}"#, "template"),
        (#"{"spreadsheet_id":"../x","template":"default"}"#, "spreadsheet_id"),
        (#"{"spreadsheet_id":"x","template":"default","sheets":[]}"#, "sheets"),
        (#"{"spreadsheet_id":"x","template":"default","sheets":[1]}"#, "sheets[0]"),
        (#"{"spreadsheet_id":"x","template":"default","sheets":["a","A"]}"#, "sheets[1]"),
        (#"{"spreadsheet_id":"x","template":"default","sheet":"a"}"#, "sheet"),
    ])
    func refusesAFormatPayloadByItsPath(text: String, path: String) throws {
        let error = try #require(throws: PayloadError.self) { try FormatPayload(JSON(parsing: text)) }
        #expect(error.path == path, "\(error)")
    }
}

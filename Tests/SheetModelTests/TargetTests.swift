import JSON
import Testing

@testable import SheetModel

/// Plans for spreadsheets that are there, and plans that go on where an earlier run ended.
@Suite struct TargetTests {
    private func model(_ names: [String], rows: [[JSON]] = [[1], [2]]) throws -> Spreadsheet {
        try Spreadsheet(
            locale: nil, timeZone: nil,
            sheets: names.map { Sheet(name: $0, columns: [try Column(name: "n")], rows: rows) })
    }

    private func batches(_ plan: SpreadsheetPlan, from position: PlanPosition? = nil) throws -> [PlanBatch] {
        var batches = plan.batches(from: position)
        var all: [PlanBatch] = []
        while let batch = try batches.next() { all.append(batch) }
        return all
    }

    private func kinds(_ batch: PlanBatch) throws -> [String] {
        try JSON(parsing: batch.body)["requests"]?.array?.compactMap { $0.object?.names.first } ?? []
    }

    @Test func sheetsAreTakenOverByNameAndNewOnesGetFreeIDs() throws {
        let target = PlanTarget.existing([
            ExistingSheet(id: 1, title: "Other", rows: 5, columns: 5),
            ExistingSheet(id: 9, title: "DATA", rows: 5, columns: 5, bandingIDs: [4]),
        ])
        let plan = try SpreadsheetPlan(model(["New", "Data", "Newer"]), target: target)
        #expect(plan.sheets.map(\.id) == [2, 9, 3])
        let kinds = try kinds(batches(plan)[0])
        #expect(!kinds.contains("updateSpreadsheetProperties"))
        #expect(kinds.filter { $0 == "addSheet" }.count == 2)
        for kind in ["unmergeCells", "clearBasicFilter", "deleteBanding"] {
            #expect(kinds.filter { $0 == kind }.count == 1, "\(kind)")
        }
    }

    @Test func aReplacedSheetHoldsNothingOfWhatItHeld() throws {
        var result = PlannedSpreadsheet()
        for batch in try batches(SpreadsheetPlan(model(["A"], rows: (0..<9).map { [JSON($0)] }))) {
            try result.apply(batch.body)
        }
        for batch in try batches(SpreadsheetPlan(model(["a"], rows: []), target: .existing(result.existing))) {
            try result.apply(batch.body)
        }
        #expect(result.tabs.map(\.title) == ["a"])
        #expect(result.tabs[0].cells == [[Cell(.text("n"))], [Cell(.empty)]])
        #expect(result.locale == "en_US" && result.timeZone == "Etc/GMT")
    }

    @Test func aSheetThatKeepsItsLookGrowsAndNeverShrinks() throws {
        var result = PlannedSpreadsheet()
        let target = PlanTarget.existing(result.existing)
        for batch in try batches(SpreadsheetPlan(model(["Sheet1"]), target: target, template: nil)) {
            try result.apply(batch.body)
        }
        #expect(result.tabs[0].rows == 1_000 && result.tabs[0].columns == 26)
        #expect(result.tabs[0].bandings.isEmpty && result.tabs[0].formats.isEmpty && result.tabs[0].widths.isEmpty)
        let many = try model(["Sheet1"], rows: (0..<1_500).map { [JSON($0)] })
        for batch in try batches(
            SpreadsheetPlan(many, target: .existing(result.existing), template: nil, batchBytes: 10_000))
        { try result.apply(batch.body) }
        #expect(result.tabs[0].rows == 1_501 && result.tabs[0].columns == 26)
        #expect(result.tabs[0].cells[1_500][0] == Cell(.number(1_499)))
        for batch in try batches(
            SpreadsheetPlan(model(["Sheet1"]), target: .existing(result.existing), template: nil))
        { try result.apply(batch.body) }
        #expect(result.tabs[0].rows == 1_501 && result.tabs[0].cells[3][0] == Cell(.empty), "old rows are cleared")
    }

    @Test func everyRunFromTheRowThatIsNextGivesTheSame() throws {
        let model = try model(
            ["A", "B", "C"], rows: (0..<120).map { [.string(String(repeating: "x", count: $0 % 30))] })
        let plan = try SpreadsheetPlan(model, batchBytes: 1_500)
        let all = try batches(plan)
        #expect(all.count > 4)
        var whole = PlannedSpreadsheet()
        for batch in all { try whole.apply(batch.body) }
        for count in 1..<all.count {
            var result = PlannedSpreadsheet()
            for batch in all.prefix(count) { try result.apply(batch.body) }
            let end = all[count - 1].end
            #expect(plan.rows(before: end) == all.prefix(count).reduce(0) { $0 + $1.rows })
            let resumed = try SpreadsheetPlan(model, target: .prepared(plan.sheets.map(\.id)), batchBytes: 1_000)
            for batch in try batches(resumed, from: end) {
                #expect(batch.method == .values, "only rows are written")
                try result.apply(batch.body)
            }
            #expect(result == whole, "from batch \(count)")
        }
    }

    @Test func sheetsThatStayCountAgainstTheLimit() throws {
        let target = PlanTarget.existing((1...199).map { ExistingSheet(id: $0, title: "T\($0)", rows: 1, columns: 1) })
        #expect(throws: Never.self) { try SpreadsheetPlan(model(["New"]), target: target) }
        let error = try #require(throws: SheetModelError.self) {
            try SpreadsheetPlan(model(["New", "Newer"]), target: target)
        }
        #expect(error.code == .sheetCount && error.message.contains("201"))
    }

    @Test func templatesAreReadWithTheirBackgroundsAsBands() throws {
        let template = try FormattingTemplate(
            JSON(
                parsing: """
                    {"header":{"backgroundColor":{"red":0.5}},"body":{"backgroundColorStyle":{"themeColor":"ACCENT1"},
                     "wrapStrategy":"CLIP"},"alternateRow":{"backgroundColor":{"blue":1},"wrapStrategy":"CLIP"}}
                    """))
        #expect(template.body == ["wrapStrategy": "CLIP"])
        #expect(template.bands?.header == ["rgbColor": ["red": 0.5]])
        #expect(template.bands?.first == ["themeColor": "ACCENT1"])
        #expect(template.bands?.second == ["rgbColor": ["blue": 1]])
        #expect(template.frozenRows == 1 && !template.hasFilter && template.columnWidths.isEmpty)
        let plain = try FormattingTemplate(["body": ["backgroundColor": ["red": 1]]])
        #expect(plain.bands == nil && plain.body == ["backgroundColor": ["red": 1]])
    }

    @Test func aTemplateNeverFreezesEveryRow() throws {
        var template = FormattingTemplate.standard
        template.frozenRows = 50
        template.hasFilter = true
        template.columnWidths = [77]
        var result = PlannedSpreadsheet()
        for batch in try batches(SpreadsheetPlan(model(["A"]), template: template)) { try result.apply(batch.body) }
        #expect(result.tabs[0].frozenRows == 2 && result.tabs[0].rows == 3)
        #expect(result.tabs[0].filter?["endRowIndex"] == 3)
        #expect(result.tabs[0].widths[0] == 77)
        let before = result.tabs[0].cells
        try result.apply(try FormatPlan(template, sheets: result.existing).body)
        #expect(result.tabs[0].cells == before && result.tabs[0].frozenRows == 2)
    }
}

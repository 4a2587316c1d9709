public import JSON

/// The writes that replace sheets of somebody's spreadsheet at any size, of which nobody sees anything before the last one.
///
/// The rows go into hidden sheets; one more batch then brings all of them over at once and takes the hidden sheets away.
public struct StagedPlan: Sendable {
    /// How rows come from a hidden sheet to where they belong.
    public enum Way: String, Sendable, Hashable {
        /// They are copied into the old sheet, which keeps its id.
        case copy
        /// The hidden sheet takes the place of the old one, which is deleted with its id.
        case swap
    }

    /// A sheet and the hidden one in which it is written.
    private struct Part {
        let sheet: SheetLayout
        let hidden: SheetLayout

        /// A sheet that is not there yet comes to light where it is.
        func way(_ way: Way) -> Way { sheet.existing == nil ? .swap : way }
    }

    /// Makes and fills the hidden sheets.
    public let filling: SpreadsheetPlan
    private let parts: [Part]
    private let old: [ExistingSheet]
    private let properties: [JSON]

    /// Plans the way of a replacement.
    ///
    /// - Parameters:
    ///   - plan: The same as one batch, for the same sheets.
    ///   - sheets: The sheets that are there, without leftovers.
    ///   - leftovers: Sheets of the target that go first of all, and count for nothing.
    ///   - hidden: An id and a name for each hidden sheet, which no other sheet has.
    public init(
        _ plan: SpreadsheetPlan, among sheets: [ExistingSheet], removing leftovers: [Int],
        hidden: [(id: Int, title: String)]
    ) throws(SheetModelError) {
        parts = zip(plan.layouts, hidden).map { sheet, hidden in
            let name = CheckedSheet(
                name: hidden.title, columns: sheet.sheet.columns, hasHeader: sheet.sheet.hasHeader,
                rows: sheet.sheet.rows, warnings: [])
            return Part(
                sheet: sheet,
                hidden: SheetLayout(
                    sheet: name, id: hidden.id, existing: nil, origin: .nobody, template: sheet.template))
        }
        old = sheets
        properties = plan.properties
        let layouts = parts.map(\.hidden)
        let head =
            leftovers.map { SheetRequests(id: $0).delete() }
            + layouts.flatMap { layout in
                let grid: JSON = ["rowCount": JSON(layout.grid.rows), "columnCount": JSON(layout.grid.columns)]
                let properties: JSON = [
                    "title": JSON(layout.sheet.name), "hidden": true, "gridProperties": grid,
                ]
                return [layout.make.add(properties)] + (layout.template.map(layout.cellFormats) ?? [])
            }
        filling = try SpreadsheetPlan(
            layouts, head: head, properties: [], warnings: plan.warnings, batchBytes: plan.batchBytes)
        try checkRoom()
    }

    /// What the sheets are once they are brought over.
    public func sheets(_ way: Way) -> [SheetSummary] {
        parts.map { part in
            let summary = part.sheet.summary
            return part.way(way) == .copy
                ? summary
                : SheetSummary(
                    name: summary.name, id: part.hidden.id, rows: summary.rows, columns: summary.columns,
                    cells: summary.cells)
        }
    }

    /// The last batch, a body for `spreadsheets.batchUpdate`, with requests that stand or fall with it.
    public func finish(_ way: Way, with notes: [JSON] = []) -> [UInt8] {
        let requests =
            properties
            + parts.flatMap { part in
                part.way(way) == .copy ? copy(part) : swap(part)
            } + notes
        return JSON.object(JSONObject([.init(name: "requests", value: .array(requests))])).bytes
    }

    /// Pastes of whole cells bring the hidden sheet's notes along, which are none, so the columns' own come after them.
    private func copy(_ part: Part) -> [JSON] {
        part.sheet.gridAndLook + pastes(part) + part.sheet.columnSettings + [part.hidden.make.delete()]
    }

    private func swap(_ part: Part) -> [JSON] {
        let (sheet, make) = (part.hidden.sheet, part.hidden.make)
        let shown = SheetLayout(
            sheet: part.sheet.sheet, id: part.hidden.id,
            existing: ExistingSheet(
                id: part.hidden.id, title: sheet.name, rows: part.hidden.grid.rows, columns: part.hidden.grid.columns),
            origin: .nobody, template: part.sheet.template)
        // First of all it is shown, since Sheets never deletes the last sheet that is.
        var requests = [make.change(["hidden": false], fields: "hidden")]
        if let existing = part.sheet.existing, let index = old.firstIndex(where: { $0.id == existing.id }) {
            requests += [part.sheet.make.delete(), make.change(["index": JSON(index)], fields: "index")]
        }
        let template = part.sheet.template ?? .standard
        return requests + [shown.properties(frozenRows: template.frozenRows)] + shown.fittings(template)
            + shown.columnSettings
    }

    /// Copies no more of the cells than the old sheet needs: what hangs on its own cells beside values and look stays.
    private func pastes(_ part: Part) -> [JSON] {
        let (from, to) = (part.hidden.make, part.sheet.make)
        let rows = 0..<part.hidden.grid.headerRows + part.hidden.sheet.rows.count
        guard !rows.isEmpty else { return [] }
        return to.runs(of: part.sheet.columns, by: \.type.pasteType).map { columns, first in
            [
                "copyPaste": [
                    "source": from.range(rows: rows, columns: columns),
                    "destination": to.range(rows: rows, columns: columns), "pasteType": JSON(first.type.pasteType),
                ]
            ]
        }
    }

    /// Sheets counts every cell of every grid, at each step of a batch.
    private func checkRoom() throws(SheetModelError) {
        var cells = (old.map { $0.rows * $0.columns } + parts.map(\.hidden.grid.cells)).reduce(0, +)
        var most = cells
        for part in parts {
            guard let existing = part.sheet.existing else { continue }
            cells += part.sheet.grid.cells - existing.rows * existing.columns
            most = max(most, cells)
            cells -= part.hidden.grid.cells
        }
        guard most <= Limits.cells else {
            throw SheetModelError(
                .tooManyCells,
                "while sheets are replaced, the old rows and the new ones stand beside each other: this would make "
                    + "\(most.grouped) cells with all sheets of the spreadsheet, and it holds at most "
                    + "\(Limits.cells.grouped); export to a new spreadsheet, split the data, or empty the sheets first")
        }
        guard old.count + parts.count <= Limits.sheets else {
            throw SheetModelError(
                .sheetCount,
                "a spreadsheet holds at most \(Limits.sheets) sheets, and with those that are written beside the old ones "
                    + "this would make \(old.count + parts.count)")
        }
    }
}

extension ColumnType {
    /// The least that brings all of a cell over.
    fileprivate var pasteType: String {
        switch self {
        case .link: "PASTE_NORMAL"
        case .formula: "PASTE_FORMULA"
        default: "PASTE_VALUES"
        }
    }
}

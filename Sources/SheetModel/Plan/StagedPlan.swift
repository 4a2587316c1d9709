public import JSON

/// The writes that replace sheets of somebody's spreadsheet at any size, of which nobody sees anything before the last one.
///
/// The rows go into hidden sheets; one more batch then brings all of them over at once and takes the hidden sheets away.
public struct StagedPlan: Sendable {
    /// A sheet and the hidden one in which it is written.
    private struct Part {
        let sheet: SheetLayout
        let hidden: SheetLayout

        /// Whether the sheet is not there yet: the hidden one becomes it.
        var isNew: Bool { sheet.existing == nil }
    }

    /// Makes and fills the hidden sheets.
    public let filling: SpreadsheetPlan
    private let parts: [Part]
    private let old: [ExistingSheet]
    private let properties: [JSON]
    private let notes: @Sendable (_ sheet: Int, _ id: Int) -> [JSON]

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
                name: hidden.title, columns: sheet.sheet.columns,
                hasHeader: !sheet.isShared && sheet.sheet.hasHeader, rows: sheet.sheet.rows, warnings: [])
            // A formula that is copied refers to cells as far away as before, so that it has to stand where it will.
            var grid: ExistingSheet?
            if sheet.isShared, sheet.columns.contains(where: { $0.type == .formula }) {
                grid = ExistingSheet(id: hidden.id, title: hidden.title, rows: 1, columns: 1)
                grid?.place = SheetPlace(row: sheet.firstRow, columns: sheet.place.columns)
            }
            return Part(
                sheet: sheet,
                hidden: SheetLayout(
                    sheet: name, id: hidden.id, existing: grid, origin: .nobody, template: sheet.template))
        }
        old = sheets
        properties = plan.properties
        notes = plan.notes
        let layouts = parts.map(\.hidden)
        let head =
            leftovers.map { SheetRequests(id: $0).delete() }
            + parts.flatMap { part in
                let layout = part.hidden
                let grid: JSON = ["rowCount": JSON(layout.grid.rows), "columnCount": JSON(layout.grid.columns)]
                let properties: JSON = [
                    "title": JSON(layout.sheet.name), "hidden": true, "gridProperties": grid,
                ]
                return [layout.make.add(properties)] + Self.looks(part)
            }
        filling = try SpreadsheetPlan(
            layouts, head: head, properties: [], warnings: plan.warnings, batchBytes: plan.batchBytes)
        try checkRoom()
    }

    /// The look of the hidden cells, as far as it comes over with the values.
    private static func looks(_ part: Part) -> [JSON] {
        guard part.sheet.isShared, let existing = part.sheet.existing else {
            return part.hidden.template.map(part.hidden.cellFormats) ?? []
        }
        // A link is a matter of the format, so that one comes over with all of it.
        let (first, count) = (part.sheet.firstRow, part.sheet.sheet.rows.count)
        let links = part.sheet.columns.indices.filter { count > 0 && part.sheet.columns[$0].type == .link }
        return links.flatMap { column -> [JSON] in
            let (place, hidden) = (part.sheet.place.columns[column], part.hidden.place.columns[column])
            let start = part.hidden.firstRow
            if let template = part.sheet.template {
                let rows = start..<start + count
                return [
                    part.hidden.make.format(
                        template.body, rows: rows, columns: hidden..<hidden + 1, fields: "userEnteredFormat")
                ] + part.hidden.look(of: part.sheet.columns[column], rows: rows, columns: hidden..<hidden + 1)
            }
            // It is the look that is there.
            let rows = first..<max(first, min(existing.rows, first + count))
            guard !rows.isEmpty, place < existing.columns else { return [] }
            return [
                [
                    "copyPaste": [
                        "source": part.sheet.make.range(rows: rows, columns: place..<place + 1),
                        "destination": part.hidden.make.range(
                            rows: start..<start + rows.count, columns: hidden..<hidden + 1),
                        "pasteType": "PASTE_FORMAT",
                    ]
                ]
            ]
        }
    }

    /// What tells whether another plan finds its rows in the same cells of the hidden sheets.
    public var layout: String {
        var digest = RowDigest()
        for part in parts {
            digest.add([part.hidden.sheet.hasHeader ? 1 : 0])
            guard part.hidden.isShared else { continue }
            digest.add(Array("\(part.hidden.firstRow) \(part.hidden.place.columns)".utf8)[...])
        }
        return digest.description
    }

    /// What the sheets are once they are brought over.
    public var sheets: [SheetSummary] {
        parts.map { part in
            let summary = part.sheet.summary
            return part.isNew
                ? SheetSummary(
                    name: summary.name, id: part.hidden.id, rows: summary.rows, columns: summary.columns,
                    cells: summary.cells)
                : summary
        }
    }

    /// The last batch, a body for `spreadsheets.batchUpdate`, with requests that stand or fall with it.
    public func finish(with notes: [JSON] = []) -> [UInt8] {
        let sheets = parts.enumerated().flatMap { index, part in
            part.isNew
                ? reveal(part) + self.notes(index, part.hidden.id) : copy(part) + self.notes(index, part.sheet.id)
        }
        let requests = properties + sheets + notes
        return JSON.object(JSONObject([.init(name: "requests", value: .array(requests))])).bytes
    }

    /// Copies the cells; the hidden sheet is shown for as long as the batch takes, in case that Google copies out of no other.
    ///
    /// Pastes of whole cells bring the hidden sheet's notes along, which are none, so the columns' own come after them.
    private func copy(_ part: Part) -> [JSON] {
        [part.hidden.make.change(["hidden": false], fields: "hidden")] + part.sheet.gridAndLook + pastes(part)
            + part.sheet.columnSettings + [part.hidden.make.delete()]
    }

    /// Makes the hidden sheet the new one.
    private func reveal(_ part: Part) -> [JSON] {
        let (sheet, make) = (part.hidden.sheet, part.hidden.make)
        let shown = SheetLayout(
            sheet: part.sheet.sheet, id: part.hidden.id,
            existing: ExistingSheet(
                id: part.hidden.id, title: sheet.name, rows: part.hidden.grid.rows, columns: part.hidden.grid.columns),
            origin: .nobody, template: part.sheet.template)
        let template = part.sheet.template ?? .standard
        return [make.change(["hidden": false], fields: "hidden"), shown.properties(frozenRows: template.frozenRows)]
            + shown.fittings(template) + shown.columnSettings
    }

    /// Copies no more of the cells than the sheet needs: what hangs on its own cells beside values and look stays.
    private func pastes(_ part: Part) -> [JSON] {
        let (from, to) = (part.hidden.make, part.sheet.make)
        let start = part.hidden.firstRow
        let rows = start..<start + part.hidden.namedRows + part.hidden.sheet.rows.count
        guard !rows.isEmpty else { return [] }
        let (first, columns) = (part.sheet.firstRow, part.sheet.columns)
        let runs = part.sheet.place.runs { columns[$0].type.pasteType == columns[$1].type.pasteType }
        return runs.flatMap { run in
            // Neighbours in the sheet need not be neighbours in the job.
            var pieces: [SheetPlace.Run] = []
            for (offset, column) in run.columns.enumerated() {
                if let last = pieces.last?.columns.last, last + 1 == column {
                    pieces[pieces.count - 1].columns.append(column)
                } else {
                    pieces.append(SheetPlace.Run(place: run.place + offset, columns: [column]))
                }
            }
            return pieces
        }.map { piece in
            let type = JSON(columns[piece.columns[0]].type.pasteType)
            let place = part.hidden.place.columns[piece.columns[0]]
            return [
                "copyPaste": [
                    "source": from.range(rows: rows, columns: place..<place + piece.columns.count),
                    "destination": to.range(rows: first..<first + rows.count, columns: piece.range), "pasteType": type,
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

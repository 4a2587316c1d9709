import JSON

/// A spreadsheet as `spreadsheets.get` shows it.
struct SpreadsheetView {
    private let spreadsheet: Spreadsheet
    private let baseURL: String
    private let ranges: [GridRange]?
    private let showsCells: Bool
    private let owner: String?
    private let reader: CellReader

    /// - Parameters:
    ///   - ranges: what to show; nil for everything
    ///   - showsCells: whether to show the cells
    ///   - owner: the e-mail address of the file's owner, who may edit what is protected
    init(_ spreadsheet: Spreadsheet, baseURL: String, ranges: [GridRange]?, showsCells: Bool, owner: String?) {
        self.owner = owner
        self.spreadsheet = spreadsheet
        self.baseURL = baseURL
        self.ranges = ranges
        self.showsCells = showsCells
        reader = CellReader(spreadsheet)
    }

    /// Google's `Spreadsheet`.
    var json: JSON {
        var object = JSONObject()
        object["spreadsheetId"] = .string(spreadsheet.id)
        object["properties"] = properties
        object["sheets"] = .array(
            spreadsheet.sheets.enumerated().compactMap { index, sheet in
                let shown = ranges?.filter { $0.sheetID == sheet.id }
                if shown?.isEmpty == true { return nil }
                return self.sheet(sheet, index, shown ?? [GridRange(sheetID: sheet.id)])
            })
        let metadata = spreadsheet.developerMetadata.filter { $0.location == .spreadsheet }
        if !spreadsheet.namedRanges.isEmpty {
            object["namedRanges"] = .array(spreadsheet.namedRanges.map(JSON.object))
        }
        if !metadata.isEmpty { object["developerMetadata"] = .array(metadata.map(\.json)) }
        object["spreadsheetUrl"] = .string("\(baseURL)/spreadsheets/d/\(spreadsheet.id)/edit")
        return .object(object)
    }

    private var properties: JSON {
        var object = JSONObject()
        object["title"] = .string(spreadsheet.title)
        object["locale"] = .string(spreadsheet.locale)
        object["autoRecalc"] = spreadsheet.properties["autoRecalc"] ?? "ON_CHANGE"
        object["timeZone"] = .string(spreadsheet.timeZone)
        object["defaultFormat"] = SpreadsheetDefaults.format
        object["spreadsheetTheme"] = SpreadsheetDefaults.theme
        for member in spreadsheet.properties { object[member.name] = member.value }
        return .object(object)
    }

    private func sheet(_ sheet: Sheet, _ index: Int, _ ranges: [GridRange]) -> JSON {
        var object = JSONObject()
        object["properties"] = sheet.propertiesJSON(index: index)
        if showsCells { object["data"] = .array(ranges.map { data(sheet, $0) }) }
        if !sheet.merges.isEmpty { object["merges"] = .array(sheet.merges.map(\.json)) }
        if !sheet.conditionalFormats.isEmpty {
            object["conditionalFormats"] = .array(sheet.conditionalFormats.map(JSON.object))
        }
        if !sheet.protectedRanges.isEmpty { object["protectedRanges"] = .array(sheet.protectedRanges.map(protected)) }
        if let filter = sheet.basicFilter { object["basicFilter"] = .object(filter) }
        if !sheet.bandings.isEmpty { object["bandedRanges"] = .array(sheet.bandings.map(\.json)) }
        if !sheet.rowGroups.isEmpty {
            object["rowGroups"] = .array(sheet.rowGroups.map { $0.json(sheetID: sheet.id, isRows: true) })
        }
        if !sheet.columnGroups.isEmpty {
            object["columnGroups"] = .array(sheet.columnGroups.map { $0.json(sheetID: sheet.id, isRows: false) })
        }
        if !sheet.tables.isEmpty { object["tables"] = .array(sheet.tables.map(JSON.object)) }
        let metadata = spreadsheet.developerMetadata.filter { $0.location == .sheet(sheet.id) }
        if !metadata.isEmpty { object["developerMetadata"] = .array(metadata.map(\.json)) }
        return .object(object)
    }

    /// Google's `ProtectedRange`: its owner is always among the editors.
    private func protected(_ range: JSONObject) -> JSON {
        guard let owner, var editors = range["editors"]?.object else { return .object(range) }
        let users = (editors["users"]?.array ?? []).filter { $0.string != owner }
        editors["users"] = .array([.string(owner)] + users)
        var result = range
        result["editors"] = .object(editors)
        return .object(result)
    }

    /// Google's `GridData`.
    private func data(_ sheet: Sheet, _ range: GridRange) -> JSON {
        let rows = range.rows(in: sheet.grid)
        let columns = range.columns(in: sheet.grid)
        var object = JSONObject()
        if rows.lowerBound > 0 { object["startRow"] = JSON(rows.lowerBound) }
        if columns.lowerBound > 0 { object["startColumn"] = JSON(columns.lowerBound) }
        let used = rows.lowerBound..<max(rows.lowerBound, min(rows.upperBound, sheet.grid.usedRowCount))
        var rowData = used.map { row(sheet.grid[$0], columns, at: $0, of: sheet) }
        while rowData.last == [:] { rowData.removeLast() }
        if !rowData.isEmpty { object["rowData"] = .array(rowData) }
        let metadata = spreadsheet.developerMetadata
        object["rowMetadata"] = .array(
            rows.map { row in
                dimension(
                    sheet.rowProperties[row], Sheet.usualRowHeight,
                    metadata.filter { $0.location == .row(sheetID: sheet.id, index: row) })
            })
        object["columnMetadata"] = .array(
            columns.map { column in
                dimension(
                    sheet.columnProperties[column], Sheet.usualColumnWidth,
                    metadata.filter { $0.location == .column(sheetID: sheet.id, index: column) })
            })
        return .object(object)
    }

    private func dimension(_ properties: JSONObject?, _ size: Int, _ metadata: [DeveloperMetadata]) -> JSON {
        var object = properties ?? JSONObject()
        if object["pixelSize"] == nil { object["pixelSize"] = JSON(size) }
        if !metadata.isEmpty { object["developerMetadata"] = .array(metadata.map(\.json)) }
        return .object(object)
    }

    private func row(_ row: Grid.Row, _ columns: Range<Int>, at index: Int, of sheet: Sheet) -> JSON {
        let end = max(row.cells.count, (row.extras.keys.max() ?? -1) + 1)
        let used = columns.lowerBound..<max(columns.lowerBound, min(columns.upperBound, end))
        let place = spreadsheet.index(ofSheet: sheet.id) ?? 0
        var values = used.map { cell(row[$0], row.extras[$0], sheet: place, row: index, column: $0) }
        while values.last == [:] { values.removeLast() }
        return values.isEmpty ? [:] : ["values": .array(values)]
    }

    /// Google's `CellData`.
    private func cell(_ cell: Cell, _ extras: JSONObject?, sheet: Int, row: Int, column: Int) -> JSON {
        var object = JSONObject()
        if cell.value != .empty {
            let value = reader.value(cell, sheet: sheet, row: row, column: column)
            let effective = Self.extended(value)
            if case .formula(let text) = cell.value {
                object["userEnteredValue"] = ["formulaValue": .string(text)]
            } else {
                object["userEnteredValue"] = effective
            }
            object["effectiveValue"] = effective
            object["formattedValue"] = .string(reader.text(cell, sheet: sheet, row: row, column: column))
        }
        if cell.format != 0 {
            let format = spreadsheet.formats[cell.format]
            object["userEnteredFormat"] = .object(format)
            object["effectiveFormat"] = Self.merged(SpreadsheetDefaults.format, .object(format))
        } else if cell.value != .empty {
            object["effectiveFormat"] = SpreadsheetDefaults.format
        }
        for member in extras ?? JSONObject() { object[member.name] = member.value }
        return .object(object)
    }

    /// Google's `ExtendedValue`.
    private static func extended(_ value: FormulaValue) -> JSON {
        switch value {
        case .empty: [:]
        case .number(let number): ["numberValue": JSON(number)]
        case .text(let text): ["stringValue": .string(text)]
        case .boolean(let value): ["boolValue": JSON(value)]
        case .error(let error): ["errorValue": ["type": .string(error.type), "message": .string(error.rawValue)]]
        }
    }

    private static func merged(_ base: JSON, _ change: JSON) -> JSON {
        guard case .object(var result) = base, let change = change.object else { return change }
        for member in change {
            // A colour replaces a colour; its components do not mix.
            if let old = result[member.name], old.object != nil, !member.name.lowercased().contains("color") {
                result[member.name] = merged(old, member.value)
            } else {
                result[member.name] = member.value
            }
        }
        return .object(result)
    }
}

import Google
import JSON
import SheetModel

/// What Sheets tells of a spreadsheet before something is written into it.
struct TargetSpreadsheet: Sendable, Hashable {
    let url: String
    /// The name of the time zone in which it shows times; nil where Sheets did not tell.
    let timeZone: String?
    /// The sheets, without those that jobs hide.
    let sheets: [ExistingSheet]
    /// The ids of the hidden sheets in which jobs of this installation write, or have written when they died.
    let staged: [Int]
    /// Google's `DeveloperMetadata` of each sheet that has any, by the sheet's id.
    let metadata: [Int: [JSON]]
    /// The cells of each sheet that this account may not edit, with what people call them, by the sheet's id.
    let protected: [Int: [ProtectedCells]]

    /// Cells that the account may not edit.
    struct ProtectedCells: Sendable, Hashable {
        let block: CellBlock
        let name: String
    }

    static let sheetFields =
        "properties(sheetId,title,hidden,gridProperties(rowCount,columnCount,frozenRowCount)),bandedRanges(bandedRangeId,range),merges,basicFilter,"
        + "tables(tableId,name,range,columnProperties.columnName,rowsProperties.footerColorStyle),"
        + "developerMetadata(metadataId,metadataKey,metadataValue),"
        + "protectedRanges(protectedRangeId,range,unprotectedRanges,description,warningOnly,requestingUserCanEdit)"
    /// What only a sheet that is made like new is asked for.
    private static let belongings =
        ",conditionalFormats.ranges,filterViews.filterViewId,charts.chartId,"
        + "slicers.slicerId,rowGroups(range,depth),columnGroups(range,depth)"

    /// Reads it: one call.
    ///
    /// - Parameter withBelongings: Whether to read what hangs on the sheets too, to take it away.
    init(
        _ id: String, of installation: String, using client: SheetsClient, withBelongings: Bool = false
    ) async throws(GoogleError) {
        let fields =
            "spreadsheetUrl,properties.timeZone,sheets(\(Self.sheetFields)\(withBelongings ? Self.belongings : ""))"
        try self.init(id, of: installation, try await client.spreadsheet(id, fields: fields))
    }

    /// Reads what Sheets told of it.
    init(_ id: String, of installation: String, _ json: JSON) throws(GoogleError) {
        url = json["spreadsheetUrl"]?.string ?? "https://docs.google.com/spreadsheets/d/\(id)/edit"
        timeZone = json["properties"]?["timeZone"]?.string
        var sheets: [ExistingSheet] = []
        var staged: [Int] = []
        var metadata: [Int: [JSON]] = [:]
        var protected: [Int: [ProtectedCells]] = [:]
        for sheet in json["sheets"]?.array ?? [] {
            let properties = sheet["properties"]
            let grid = properties?["gridProperties"]
            var existing = ExistingSheet(
                id: try GoogleNumber.id(properties?["sheetId"], "sheetId"),
                title: properties?["title"]?.string ?? "",
                rows: try GoogleNumber.count(grid?["rowCount"], "rowCount"),
                columns: try GoogleNumber.count(grid?["columnCount"], "columnCount"))
            existing.frozenRows = try GoogleNumber.count(grid?["frozenRowCount"], "frozenRowCount")
            for banding in sheet["bandedRanges"]?.array ?? [] where banding["bandedRangeId"] != nil {
                existing.bandings.append(
                    SheetBanding(
                        id: try GoogleNumber.id(banding["bandedRangeId"], "bandedRangeId"),
                        block: try existing.block(banding["range"])))
            }
            for merge in sheet["merges"]?.array ?? [] {
                if let block = try existing.block(merge) { existing.merges.append(block) }
            }
            if let filter = sheet["basicFilter"], let block = try existing.block(filter["range"] ?? [:]) {
                existing.filter = SheetFilter(block: block, json: filter)
            }
            for table in sheet["tables"]?.array ?? [] {
                guard let id = table["tableId"]?.string, let block = try existing.block(table["range"]) else {
                    continue
                }
                existing.tables.append(
                    SheetTable(
                        id: id, name: table["name"]?.string ?? "", block: block,
                        columnNames: (table["columnProperties"]?.array ?? []).map { $0["columnName"]?.string ?? "" },
                        hasFooter: table["rowsProperties"]?["footerColorStyle"] != nil))
            }
            existing.belongings = try SheetBelongings(of: sheet)
            metadata[existing.id] = sheet["developerMetadata"]?.array
            for range in sheet["protectedRanges"]?.array ?? []
            where range["requestingUserCanEdit"]?.bool != true && range["warningOnly"]?.bool != true {
                // Which cells of it are left open, Google judges better.
                guard range["unprotectedRanges"] == nil, let block = try existing.block(range["range"]) else {
                    continue
                }
                protected[existing.id, default: []].append(
                    ProtectedCells(block: block, name: range["description"]?.string ?? ""))
            }
            if properties?["hidden"]?.bool == true, StagingSheetName.isOn(existing.title, of: installation) {
                staged.append(existing.id)
            } else {
                sheets.append(existing)
            }
        }
        self.sheets = sheets
        self.staged = staged
        self.metadata = metadata
        self.protected = protected
    }

    /// The sheet of a name, which Sheets tells from others without regard to case.
    func sheet(named name: String) -> ExistingSheet? {
        sheets.first { $0.title.lowercased() == name.lowercased() }
    }
}

extension ExistingSheet {
    /// Reads Google's `GridRange` of the sheet; nil for one that has no cell.
    fileprivate func block(_ range: JSON?) throws(GoogleError) -> CellBlock? {
        guard let range else { return nil }
        let top = try GoogleNumber.index(range["startRowIndex"], "startRowIndex")
        let left = try GoogleNumber.index(range["startColumnIndex"], "startColumnIndex")
        let end = range["endRowIndex"] == nil ? rows : try GoogleNumber.index(range["endRowIndex"], "endRowIndex")
        let right =
            range["endColumnIndex"] == nil ? columns : try GoogleNumber.index(range["endColumnIndex"], "endColumnIndex")
        return end > top && right > left ? CellBlock(rows: top..<end, columns: left..<right) : nil
    }
}

extension SheetBelongings {
    /// Reads what hangs on a sheet beside its cells.
    fileprivate init(of sheet: JSON) throws(GoogleError) {
        self.init()
        conditionalFormats = sheet["conditionalFormats"]?.array?.count ?? 0
        for (list, name, request, member) in [
            ("protectedRanges", "protectedRangeId", "deleteProtectedRange", "protectedRangeId"),
            ("filterViews", "filterViewId", "deleteFilterView", "filterId"),
            ("charts", "chartId", "deleteEmbeddedObject", "objectId"),
            ("slicers", "slicerId", "deleteEmbeddedObject", "objectId"),
        ] {
            for element in sheet[list]?.array ?? [] {
                let id = try GoogleNumber.id(element[name], name)
                removals.append(
                    .object(
                        JSONObject([
                            .init(name: request, value: .object(JSONObject([.init(name: member, value: JSON(id))])))
                        ])))
            }
        }
        for group in (sheet["rowGroups"]?.array ?? []) + (sheet["columnGroups"]?.array ?? []) {
            guard let range = group["range"] else { continue }
            removals.append(["deleteDimensionGroup": ["range": range]])
        }
    }
}

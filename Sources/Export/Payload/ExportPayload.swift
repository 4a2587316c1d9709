public import JSON
public import SheetModel

/// The payload of a job of kind `export`, checked down to the last value.
public struct ExportPayload: Sendable {
    /// The spreadsheet that it goes into.
    public let destination: ExportDestination
    /// The formatting template's name; nil where none is named.
    public let template: String?
    /// Whom the spreadsheet is shared with.
    public let shares: [Share]
    /// Whether the job only checks, plans and counts calls.
    public let isDryRun: Bool
    /// Whether mirrors may delete as many rows as there are.
    let allowsDeletes: Bool
    /// Whether mirrors read and compare everything, whatever they know.
    let isFromScratch: Bool
    /// The names on the tabs.
    let sheetNames: [String]
    /// What each sheet's rows do with those that are there.
    public let modes: [SheetMode]
    /// Where in sheets that are there the rows belong.
    public let positions: [SheetPosition]
    /// Whether a whole sheet is made like new.
    var hasResets: Bool { positions.contains(where: \.isReset) }
    /// The statements that give sheets their rows, in the order of the sheets.
    public let queries: [SheetQuery]
    /// The time zone that the payload names; of a new spreadsheet without one it is UTC.
    public let timeZone: TimeZoneRules?
    /// The time zone in which times with an offset are shown.
    let shownZone: TimeZoneRules
    /// Whether a sheet that no query fills may have times with an offset.
    let hasMoments: Bool
    private let locale: String?
    /// The time zone that a new spreadsheet gets; one that is there, and a copy of one, keep their own.
    private let newZone: TimeZoneRules?
    /// The sheets; nil for those that a query fills.
    private let sheets: [CheckedSheet?]

    private static let names =
        [
            "title", "spreadsheet_id", "folder", "folder_id", "template", "copy_of", "time_zone", "locale", "sheets",
            "share", "dry_run", "allow_deletes", "from_scratch",
        ] + SheetPayload.ownNames

    /// Reads a payload.
    ///
    /// - Parameter zone: The time zone of the spreadsheet that the payload names, where that is known.
    public init(_ json: JSON, shownIn zone: TimeZoneRules? = nil) throws(PayloadError) {
        let object = try PayloadObject(json, at: "", names: Self.names)
        destination = try ExportDestination(object)
        template = try object.string("template")
        shares = try Share.list(object)
        isDryRun = try object.boolean("dry_run") ?? false
        allowsDeletes = try object.boolean("allow_deletes") ?? false
        isFromScratch = try object.boolean("from_scratch") ?? false
        // What somebody made already keeps its own where the job names none.
        let isEmpty: Bool
        if case .new(_, _, copyOf: nil) = destination { isEmpty = true } else { isEmpty = false }
        let locale = try object.string("locale") ?? (isEmpty ? "en_US" : nil)
        if let locale { try PayloadText.checkLocale(locale, at: "locale") }
        self.locale = locale
        timeZone = try Self.timeZone(of: object) ?? (isEmpty ? .utc : nil)
        newZone = isEmpty ? timeZone : nil
        shownZone = zone ?? timeZone ?? .utc
        let sheets = try Self.sheets(of: object)
        hasMoments = sheets.contains { $0.columns?.contains { $0.type == .datetime } ?? false }
        modes = sheets.map(\.mode)
        positions = sheets.map(\.position)
        for sheet in sheets where isEmpty && sheet.position.namesPlace {
            throw PayloadError(
                at: sheet.path(of: sheet.position.table == nil ? "header_row" : "table"),
                "goes with spreadsheet_id or copy_of: a new sheet has its header in its first row")
        }
        sheetNames = sheets.map(\.name)
        queries = sheets.enumerated().compactMap { index, sheet in
            guard case .query(let statement, let parameters) = sheet.content else { return nil }
            return SheetQuery(
                sheet: sheet.name, index: index, path: sheet.path, statement: statement, parameters: parameters,
                columns: sheet.columns)
        }
        do throws(SheetModelError) {
            // A sheet that a query fills stands here empty, so that names and sizes are checked before anything is asked.
            let known = try Spreadsheet(
                locale: locale, timeZone: newZone, shownIn: shownZone, sheets: sheets.map(\.known))
            self.sheets = zip(sheets, known.sheets).map { sheet, known in
                if case .query = sheet.content { nil } else { known }
            }
        } catch {
            throw Self.located(error, in: sheets)
        }
    }

    /// What the spreadsheet holds.
    ///
    /// - Parameter queried: The sheets that the queries gave, in the queries' order.
    public func spreadsheet(queried: [CheckedSheet] = []) throws(SheetModelError) -> Spreadsheet {
        var queried = queried[...]
        return try Spreadsheet(
            locale: locale, timeZone: newZone, checked: sheets.compactMap { $0 ?? queried.popFirst() })
    }

    /// Refuses two rows of a sheet with the same key, and one without a key, where rows are found by it.
    func checkKeys(of spreadsheet: Spreadsheet) throws {
        for (index, (mode, sheet)) in zip(modes, spreadsheet.sheets).enumerated() {
            guard let key = mode.key else { continue }
            do {
                _ = try KeyIndex(sheet, index: index, key: key)
            } catch let error as SheetModelError {
                let part =
                    switch error.place {
                    case .row(let row, _)?: "rows[\(row)]"
                    case .column(let column, _)?: "columns[\(column)]"
                    case nil, .sheet?, .cell?: "key"
                    }
                throw PayloadError(at: "sheets[\(index)].\(part)", error.message)
            }
        }
    }

    /// Whether all its sheets are mirrors in a spreadsheet that is there.
    var isMirror: Bool {
        guard case .existing = destination else { return false }
        return modes.allSatisfy { if case .mirror = $0 { true } else { false } }
    }

    /// Whether sheets that are there keep their formats.
    var keepsFormats: Bool {
        if case .new(_, _, copyOf: nil) = destination { return false }
        return template == nil
    }

    /// The cells of the sheets that no query fills.
    var cellsBesideQueries: Int {
        sheets.reduce(0) { cells, sheet in
            guard let sheet else { return cells }
            return cells + (sheet.rows.count + (sheet.hasHeader ? 1 : 0)) * sheet.columns.count
        }
    }

    private static func timeZone(of object: PayloadObject) throws(PayloadError) -> TimeZoneRules? {
        guard let name = try object.string("time_zone") else { return nil }
        do throws(SheetModelError) {
            return try TimeZoneRules(named: name)
        } catch {
            throw PayloadError(at: "time_zone", error.message)
        }
    }

    private static func sheets(of object: PayloadObject) throws(PayloadError) -> [SheetPayload] {
        guard let list = try object.array("sheets") else {
            guard object["rows"] != nil || object["query"] != nil else {
                throw PayloadError(at: "", "expected rows or query (for one sheet), or sheets")
            }
            return [try SheetPayload(shorthand: object)]
        }
        for name in SheetPayload.ownNames where object[name] != nil {
            throw PayloadError(at: name, "goes without sheets; put it into one of them")
        }
        guard (1...Limits.sheets).contains(list.count) else {
            throw PayloadError(at: "sheets", "expected 1 to \(Limits.sheets) sheets, got \(list.count)")
        }
        var sheets: [SheetPayload] = []
        for (index, element) in list.enumerated() {
            sheets.append(try SheetPayload(element, at: "sheets[\(index)]"))
        }
        return sheets
    }

    /// The model's refusal with the place where the payload says it.
    private static func located(_ error: SheetModelError, in sheets: [SheetPayload]) -> PayloadError {
        let path: String
        switch error.place {
        case nil: path = error.code == .sheetCount ? "sheets" : ""
        case .sheet(let sheet)?:
            path = error.code == .sheetName ? sheets[sheet].path(of: "name") : sheets[sheet].path
        case .column(let column, let sheet)?: path = sheets[sheet].path(of: "columns[\(column)]")
        case .row(let row, let sheet)?: path = sheets[sheet].path(of: "rows[\(row)]")
        case .cell(let row, let column, let sheet)?: path = sheets[sheet].path(ofRow: row, column: column)
        }
        return PayloadError(at: path, error.message)
    }
}

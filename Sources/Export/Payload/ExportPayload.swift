public import JSON
public import SheetModel

/// The payload of a job of kind `export`, checked down to the last value.
public struct ExportPayload: Sendable {
    /// Where the spreadsheet is made.
    public enum Folder: Sendable, Hashable {
        /// A path below the default folder.
        case path(FolderPath)
        /// A folder by Drive's id.
        case id(String)
    }

    /// The new spreadsheet's name.
    public let title: String
    /// Where it is made; nil for the default folder itself.
    public let folder: Folder?
    /// What it holds.
    public let spreadsheet: Spreadsheet

    private static let names = [
        "title", "spreadsheet_id", "folder", "folder_id", "template", "copy_of", "time_zone", "locale", "columns",
        "rows",
        "sheets", "share", "dry_run",
    ]

    /// Reads a payload.
    public init(_ json: JSON) throws(PayloadError) {
        let object = try PayloadObject(json, at: "", names: Self.names)
        try UnsupportedField.refuse(UnsupportedField.ofPayload, in: object)
        title = try object.required("title")
        try PayloadText.checkName(title, at: "title")
        folder = try Self.folder(of: object)
        let locale = try object.string("locale") ?? "en_US"
        try PayloadText.checkLocale(locale, at: "locale")
        let timeZone = try Self.timeZone(of: object)
        let sheets = try Self.sheets(of: object)
        do throws(SheetModelError) {
            spreadsheet = try Spreadsheet(locale: locale, timeZone: timeZone, sheets: sheets.map(\.sheet))
        } catch {
            throw Self.located(error, in: sheets)
        }
    }

    private static func folder(of object: PayloadObject) throws(PayloadError) -> Folder? {
        if let id = try object.string("folder_id") {
            guard object["folder"] == nil else {
                throw PayloadError(at: "folder_id", "goes without folder; give one of them")
            }
            try PayloadText.checkFileID(id, at: "folder_id")
            return .id(id)
        }
        guard let folder = object["folder"] else { return nil }
        return .path(try FolderPath(folder, at: "folder"))
    }

    private static func timeZone(of object: PayloadObject) throws(PayloadError) -> TimeZoneRules {
        guard let name = try object.string("time_zone") else { return .utc }
        do throws(SheetModelError) {
            return try TimeZoneRules(named: name)
        } catch {
            throw PayloadError(at: "time_zone", error.message)
        }
    }

    private static func sheets(of object: PayloadObject) throws(PayloadError) -> [SheetPayload] {
        guard let list = try object.array("sheets") else {
            guard object["rows"] != nil else {
                throw PayloadError(at: "", "expected rows (for one sheet) or sheets")
            }
            return [try SheetPayload(shorthand: object)]
        }
        for name in ["columns", "rows"] where object[name] != nil {
            throw PayloadError(at: name, "goes without sheets; put it into one of them")
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

import JSON
import SheetModel

/// One sheet of a payload, and how its parts were written there.
struct SheetPayload {
    /// Where a sheet's rows come from.
    enum Content {
        case rows(JSONElements)
        case query(String, parameters: [JSON])
    }

    let name: String
    let columns: [Column]?
    let content: Content
    let mode: SheetMode
    let position: SheetPosition
    /// The place of the sheet in the payload; empty for the shorthand.
    let path: String
    /// Whether rows are objects, whose values go by name.
    private let hasObjects: Bool

    /// The members that a payload of one sheet has itself.
    static let ownNames =
        ["columns", "rows", "query", "params", "mode", "key"] + SheetPosition.names + MirrorOptions.names
    private static let names = ["name"] + ownNames

    /// Reads an element of `sheets`.
    init(_ value: JSON, at path: String) throws(PayloadError) {
        let object = try PayloadObject(value, at: path, names: Self.names)
        try self.init(name: try object.required("name"), object)
    }

    /// Reads the one sheet of a payload with `columns` and `rows` of its own.
    init(shorthand payload: PayloadObject) throws(PayloadError) {
        try self.init(name: ExistingSheet.ofNewSpreadsheet.title, payload)
    }

    private init(name: String, _ object: PayloadObject) throws(PayloadError) {
        self.name = name
        path = object.path
        columns = try Self.columns(of: object)
        mode = try SheetMode.read(object, columns: columns?.map(\.name) ?? (object["query"] == nil ? [] : nil))
        position = try SheetPosition.read(object, mode: mode, hasHeader: columns != nil || object["query"] != nil)
        if let statement = try object.string("query") {
            guard object["rows"] == nil else {
                throw PayloadError(at: object.path(of: "rows"), "goes without query")
            }
            content = .query(statement, parameters: try object.array("params") ?? [])
            hasObjects = false
        } else {
            guard object["params"] == nil else {
                throw PayloadError(at: object.path(of: "params"), "goes with query alone")
            }
            guard let rows = try object.elements("rows") else {
                throw PayloadError(at: object.path(of: "rows"), "is missing")
            }
            hasObjects = rows.first?.object != nil
            if hasObjects { try Self.checkObjects(rows, columns, object) } else { try Self.checkArrays(rows, object) }
            content = .rows(rows)
        }
    }

    /// The sheet with the rows that the payload itself has.
    var known: Sheet {
        if case .rows(let rows) = content { return Sheet(name: name, columns: columns, objectsOrArrays: rows) }
        return Sheet(name: name, columns: columns, objectsOrArrays: JSONElements([]))
    }

    /// The path of a part of the sheet.
    func path(of part: String) -> String { path.isEmpty ? part : "\(path).\(part)" }

    /// The path of a value.
    func path(ofRow row: Int, column: Int) -> String {
        let row = path(of: "rows[\(row)]")
        guard hasObjects, let columns else { return "\(row)[\(column)]" }
        return PayloadObject.path(of: columns[column].name, in: row)
    }

    private static func columns(of object: PayloadObject) throws(PayloadError) -> [Column]? {
        guard let list = try object.array("columns") else { return nil }
        guard !list.isEmpty else {
            throw PayloadError(at: object.path(of: "columns"), "must name at least one column")
        }
        guard list.count <= Limits.columns else {
            throw PayloadError(
                at: object.path(of: "columns"),
                "a sheet holds at most \(Limits.columns) columns, got \(list.count)")
        }
        var columns: [Column] = []
        columns.reserveCapacity(list.count)
        for (index, element) in list.enumerated() {
            try PayloadError.checkCancellation(at: index)
            columns.append(try ColumnPayload.column(element, at: object.path(of: "columns[\(index)]")))
        }
        return columns
    }

    private static func checkArrays(_ rows: JSONElements, _ object: PayloadObject) throws(PayloadError) {
        for (index, row) in rows.enumerated() {
            try PayloadError.checkCancellation(at: index)
            guard row.elements != nil else {
                let kinds = index == 0 ? "an array or an object" : "an array like the first row"
                throw PayloadError(at: object.path(of: "rows[\(index)]"), "expected \(kinds), got \(row.kind)")
            }
        }
    }

    /// Refuses rows whose values would not find their columns by name; what no column names is left out later.
    private static func checkObjects(
        _ rows: JSONElements, _ columns: [Column]?, _ object: PayloadObject
    ) throws(PayloadError) {
        guard let columns else {
            throw PayloadError(
                at: object.path(of: "rows[0]"), "is an object, whose values need columns to say where they go")
        }
        var names: Set<String> = []
        for (index, column) in columns.enumerated() {
            guard names.insert(column.name).inserted else {
                throw PayloadError(
                    at: object.path(of: "columns[\(index)]"),
                    "has the name of an earlier column, so that rows that are objects are not clear")
            }
        }
        for (index, row) in rows.enumerated() {
            try PayloadError.checkCancellation(at: index)
            guard case .object = row else {
                throw PayloadError(
                    at: object.path(of: "rows[\(index)]"), "expected an object like the first row, got \(row.kind)")
            }
        }
    }
}

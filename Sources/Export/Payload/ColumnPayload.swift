import JSON
import SheetModel

/// Reads a column of a payload: its name alone, or an object.
enum ColumnPayload {
    private static let names = ["name", "type", "format", "width", "hidden", "note"]

    static func column(_ value: JSON, at path: String) throws(PayloadError) -> Column {
        if case .string(let name) = value {
            return try located(at: path) { () throws(SheetModelError) in try Column(name: name) }
        }
        guard case .object = value else {
            throw PayloadError(at: path, "expected a string or an object, got \(value.kind)")
        }
        let object = try PayloadObject(value, at: path, names: names)
        let name = try object.required("name")
        let type = try type(of: object)
        let format = try object.string("format")
        let width = try object.integer("width")
        let isHidden = try object.boolean("hidden")
        let note = try object.string("note")
        return try located(at: path) { () throws(SheetModelError) in
            try Column(name: name, type: type, format: format, width: width, isHidden: isHidden, note: note)
        }
    }

    private static func type(of object: PayloadObject) throws(PayloadError) -> ColumnType {
        guard let name = try object.string("type") else { return .auto }
        guard let type = ColumnType(rawValue: name) else {
            let known = ColumnType.allCases.map(\.rawValue)
            throw PayloadError(
                at: object.path(of: "type"),
                "expected one of \(known.joined(separator: ", "))" + Suggestion.hint(for: name, among: known))
        }
        return type
    }

    private static func located(at path: String, _ make: () throws(SheetModelError) -> Column) throws(PayloadError)
        -> Column
    {
        do throws(SheetModelError) {
            return try make()
        } catch {
            let field =
                switch error.code {
                case .columnFormat: ".format"
                case .columnWidth: ".width"
                case .columnNote: ".note"
                default: ""
                }
            throw PayloadError(at: path + field, error.message)
        }
    }
}

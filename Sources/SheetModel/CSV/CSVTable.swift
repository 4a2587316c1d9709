public import JSON

/// The content of a CSV file: a header and rows of as many fields.
public struct CSVTable: Sendable, Hashable {
    /// The fields of the first record.
    public let header: [String]
    /// The other records; nil stands for an empty field.
    public let rows: [[String?]]

    /// The columns, each with the narrowest type that all its fields can be read as without a change.
    public var columns: [Column] {
        get throws(SheetModelError) {
            var columns: [Column] = []
            for (index, name) in header.enumerated() {
                let inferred = InferredType(of: rows.lazy.compactMap { $0[index] })
                columns.append(try Column(name: name, type: inferred.type, format: inferred.format))
            }
            return columns
        }
    }

    /// The table as the members `columns` and `rows` of an export's payload.
    public var payload: JSONObject {
        get throws(SheetModelError) {
            let columns = try columns
            var payload = JSONObject()
            payload["columns"] = .array(
                columns.map { column in
                    var object = JSONObject()
                    object["name"] = .string(column.name)
                    object["type"] = .string(column.type.rawValue)
                    object["format"] = column.format.map { .string($0) }
                    return .object(object)
                })
            payload["rows"] = .array(
                rows.map { row in
                    .array(zip(columns, row).map { column, field in Self.json(field, as: column.type) })
                })
            return payload
        }
    }

    private static func json(_ field: String?, as type: ColumnType) -> JSON {
        guard let field else { return .null }
        return switch type {
        case .integer, .number: (try? JSON(parsing: field)) ?? .string(field)
        case .boolean: .bool(field.lowercased() == "true")
        default: .string(field)
        }
    }
}

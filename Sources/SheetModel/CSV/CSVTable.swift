public import JSON

/// The content of a CSV file: a header and rows of as many fields.
public struct CSVTable: Sendable, Hashable {
    /// The fields of the first record.
    public let header: [String]
    /// The other records; nil stands for an empty field.
    public let rows: [[String?]]
    /// What stands between fields.
    public let delimiter: UInt8

    /// The table as the members `columns` and `rows` of an export's payload.
    ///
    /// - Parameter types: The types of columns by their names; the others get the narrowest type that all their fields can be
    ///   read as without a change.
    public func payload(types: [String: ColumnType] = [:]) throws(SheetModelError) -> JSONObject {
        for name in types.keys.sorted() where !header.contains(name) {
            throw SheetModelError(.header, "the CSV has no column \(excerpt(name)); its header is its first line")
        }
        let types = header.map { types[$0] }
        var columns: [Column] = []
        for (index, name) in header.enumerated() {
            guard let type = types[index] else {
                let inferred = InferredType(of: rows.lazy.compactMap { $0[index] }, hasDecimalCommas: hasDecimalCommas)
                columns.append(try Column(name: name, type: inferred.type, format: inferred.format))
                continue
            }
            columns.append(try Column(name: name, type: type))
        }
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
                .array(
                    row.indices.map { index in
                        json(row[index], as: columns[index].type, isInferred: types[index] == nil)
                    })
            })
        return payload
    }

    /// Whether numbers may have a comma for their point, as where programs write semicolons between fields.
    private var hasDecimalCommas: Bool { delimiter == UInt8(ascii: ";") }

    private func json(_ field: String?, as type: ColumnType, isInferred: Bool) -> JSON {
        guard let field else { return .null }
        switch type {
        case .number, .integer, .currency, .percent:
            let number = hasDecimalCommas ? InferredType.withPoint(field) ?? field : field
            return isInferred ? (try? JSON(parsing: number)) ?? .string(number) : .string(number)
        case .boolean where isInferred: return .bool(field.lowercased() == "true")
        default: return .string(field)
        }
    }
}

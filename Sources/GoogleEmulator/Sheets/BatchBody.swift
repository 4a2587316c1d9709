import JSON

/// The body of `spreadsheets.batchUpdate`, its rows of cells read without a tree of values between.
///
/// A large request is hardly anything but cells, and a tree of them costs many times what the grid does.
struct BatchBody {
    /// Something is not as it should be; what, and in which words to say so, is for those who read the whole as a tree.
    private struct Unusual: Error {}

    /// The body in canonical form, without the rows.
    private(set) var json: JSON
    /// The rows that requests bring, by the place of the request.
    private(set) var rows: [Int: [[CellInput]]] = [:]

    private let schema: APISchema
    private var reader: JSONReader

    /// Reads a body; nil where it breaks the schema.
    init?(_ bytes: [UInt8], schema: APISchema) {
        self.schema = schema
        reader = JSONReader(bytes)
        json = [:]
        do {
            json = try checked(try body(), as: "BatchUpdateSpreadsheetRequest")
            try reader.end()
        } catch { return nil }
    }

    private func checked(_ json: JSON, as type: String) throws -> JSON {
        var validator = MessageValidator(schema: schema)
        let canonical = validator.check(json, as: type)
        guard validator.violations.isEmpty else { throw Unusual() }
        return canonical
    }

    private mutating func body() throws -> JSON {
        try object { (body, name) in
            guard name == "requests", body.reader.peek() == UInt8(ascii: "[") else { return try body.reader.value() }
            // Rows are told apart by the place of their request, so that there can be only one list.
            guard body.rows.isEmpty else { throw Unusual() }
            var requests: [JSON] = []
            try body.reader.beginArray()
            while try body.reader.nextElement() { requests.append(try body.request(requests.count)) }
            return .array(requests)
        }
    }

    private mutating func request(_ index: Int) throws -> JSON {
        try object { (body, kind) in
            guard BatchUpdate.bringsRows(kind), body.reader.peek() == UInt8(ascii: "{") else {
                return try body.reader.value()
            }
            return try body.object { (body, name) in
                guard name == "rows", body.reader.peek() == UInt8(ascii: "[") else { return try body.reader.value() }
                body.rows[index] = try body.rowData()
                return nil
            }
        }
    }

    /// Reads an object member by member; a member that comes as nil is left out.
    private mutating func object(_ value: (inout BatchBody, String) throws -> JSON?) throws -> JSON {
        var members: [JSONObject.Member] = []
        try reader.beginObject()
        while let name = try reader.nextMember() {
            if let value = try value(&self, name) { members.append(.init(name: name, value: value)) }
        }
        return .object(JSONObject(members))
    }

    /// Reads a list of `RowData`.
    private mutating func rowData() throws -> [[CellInput]] {
        var rows: [[CellInput]] = []
        try reader.beginArray()
        while try reader.nextElement() {
            var cells: [CellInput] = []
            cells.reserveCapacity(rows.last?.count ?? 0)
            try reader.beginObject()
            while let name = try reader.nextMember() {
                guard name == "values", cells.isEmpty else { throw Unusual() }
                try reader.beginArray()
                while try reader.nextElement() { cells.append(try cell()) }
            }
            rows.append(cells)
        }
        return rows
    }

    /// Reads a `CellData`.
    private mutating func cell() throws -> CellInput {
        let place = reader.place
        if let value = try plainCell() { return .value(value) }
        reader.place = place
        return .data(try checked(try reader.value(), as: "CellData"))
    }

    /// Reads a `CellData` of an entered value alone, spelled as everybody does; nil where it is something else.
    private mutating func plainCell() throws -> CellValue? {
        guard reader.peek() == UInt8(ascii: "{") else { return nil }
        try reader.beginObject()
        guard try reader.nextMember() == "userEnteredValue", reader.peek() == UInt8(ascii: "{") else { return nil }
        try reader.beginObject()
        let value: CellValue
        switch (try reader.nextMember(), reader.peek()) {
        case ("stringValue", UInt8(ascii: "\"")): value = CellChange.text(try reader.string(), CellValue.text)
        case ("formulaValue", UInt8(ascii: "\"")): value = CellChange.text(try reader.string(), CellValue.formula)
        case ("boolValue", UInt8(ascii: "t")), ("boolValue", UInt8(ascii: "f")): value = .boolean(try reader.bool())
        case ("numberValue", UInt8(ascii: "-")), ("numberValue", (UInt8(ascii: "0")...UInt8(ascii: "9"))?):
            value = .number(try reader.number().double)
        default: return nil
        }
        guard try reader.nextMember() == nil, try reader.nextMember() == nil else { return nil }
        return value
    }
}

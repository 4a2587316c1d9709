import JSON

/// What a request brings into cells: a `CellData` and the fields of it that count.
struct CellChange: Sendable {
    private let setsValue: Bool
    private let formatMask: FieldMask?
    /// The fields that live beside the cells.
    private let extraFields: [String]
    /// Whether the entered value counts, and nothing else.
    private let setsValueAlone: Bool

    /// The fields of `CellData` that are neither value nor format and that a client may write.
    private static let writableExtras = [
        "note", "dataValidation", "textFormatRuns", "pivotTable", "dataSourceTable", "chipRuns",
    ]

    /// Takes a request's `fields`.
    init(fields: FieldMask) {
        setsValue = fields["userEnteredValue"] != nil
        formatMask = fields["userEnteredFormat"].map(ColorPairs.complete)
        extraFields = Self.writableExtras.filter { fields[$0] != nil }
        setsValueAlone = setsValue && formatMask == nil && extraFields.isEmpty
    }

    /// A `CellData` read once, to be brought into one cell or many.
    struct Content: Sendable {
        fileprivate let value: CellValue
        fileprivate let format: JSONObject
        fileprivate let data: JSONObject
        /// What each format that was met became.
        fileprivate var becomes: [UInt32: UInt32] = [:]
    }

    /// Reads a `CellData` as far as the fields ask for it.
    func content(_ data: JSON) throws(RequestError) -> Content {
        Content(
            value: setsValue ? try Self.value(data["userEnteredValue"]) : .empty,
            format: formatMask == nil
                ? JSONObject() : ColorPairs.complete(data["userEnteredFormat"]?.object ?? JSONObject()),
            data: !extraFields.isEmpty ? data.object ?? JSONObject() : JSONObject())
    }

    /// Brings a cell of a request into one of a row.
    func apply(
        _ input: CellInput, to row: inout Grid.Row, column: Int, formats: inout FormatTable
    ) throws(RequestError) {
        var content: Content
        switch input {
        case .value(let value):
            if setsValue { try Self.check(value) }
            if setsValueAlone { return row.setValue(value, column: column) }
            content = Content(value: value, format: JSONObject(), data: JSONObject())
        case .data(let data): content = try self.content(data)
        }
        apply(&content, to: &row, column: column, formats: &formats)
    }

    /// Brings content into a cell of a row.
    func apply(_ content: inout Content, to row: inout Grid.Row, column: Int, formats: inout FormatTable) {
        var cell = row[column]
        if setsValue { cell.value = content.value }
        if let formatMask {
            if let known = content.becomes[cell.format] {
                cell.format = known
            } else {
                var format = formats[cell.format]
                formatMask.merge(content.format, into: &format)
                let number = formats.number(of: format)
                content.becomes[cell.format] = number
                cell.format = number
            }
        }
        row[column] = cell
        guard !extraFields.isEmpty else { return }
        var extras = row.extras[column] ?? JSONObject()
        for field in extraFields { extras[field] = content.data[field] == "" ? nil : content.data[field] }
        row.setExtras(extras, column: column)
    }

    /// Refuses a text that is too long for a cell.
    static func check(_ value: CellValue) throws(RequestError) {
        switch value {
        case .text(let text), .formula(let text):
            // A text of so few bytes cannot have more characters.
            guard
                text.utf8.count <= Spreadsheet.greatestTextLength || text.utf16.count <= Spreadsheet.greatestTextLength
            else {
                throw RequestError(
                    "Your input contains more than the maximum of \(Spreadsheet.greatestTextLength) characters in a "
                        + "single cell.")
            }
        default: break
        }
    }

    private static func value(_ value: JSON?) throws(RequestError) -> CellValue {
        guard let member = value?.object?.first else { return .empty }
        switch member.name {
        case "numberValue": return member.value.double.map(CellValue.number) ?? .empty
        case "boolValue": return member.value.bool.map(CellValue.boolean) ?? .empty
        case "stringValue", "formulaValue":
            let entered = text(
                member.value.string ?? "", member.name == "stringValue" ? CellValue.text : CellValue.formula)
            try check(entered)
            return entered
        default: return .empty
        }
    }

    /// A text or a formula as it is entered; an empty one clears the cell.
    static func text(_ text: String, _ entered: (String) -> CellValue) -> CellValue {
        text.isEmpty ? .empty : entered(text)
    }
}

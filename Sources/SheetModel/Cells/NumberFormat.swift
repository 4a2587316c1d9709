/// How Sheets shows a column's numbers: its `NumberFormat`.
struct NumberFormat: Hashable {
    /// Google's name of the kind, such as `DATE` or `CURRENCY`.
    let type: String
    /// The pattern; nil for the locale's own.
    let pattern: String?

    private init(type: String, pattern: String?) {
        self.type = type
        self.pattern = pattern
    }

    /// The format that a column's `format` asks for: a currency's code or a pattern.
    init(pattern format: String, type: ColumnType) throws(SheetModelError) {
        guard !format.isEmpty, format.utf16.count <= 200,
            format.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
        else { throw SheetModelError(.columnFormat, "expected a pattern of 1 to 200 characters on one line") }
        guard type == .currency else {
            self.init(type: Self.kind(of: type), pattern: format)
            return
        }
        if let currency = Currency(code: format) {
            self.init(type: "CURRENCY", pattern: currency.pattern)
        } else if format.utf8.contains(where: { $0 == UInt8(ascii: "0") || $0 == UInt8(ascii: "#") }) {
            self.init(type: "CURRENCY", pattern: format)
        } else {
            throw SheetModelError(
                .columnFormat,
                "expected a currency's code such as EUR or a pattern such as #,##0.00")
        }
    }

    /// The format of a type without one of its own; nil for Sheets' automatic one.
    ///
    /// A text column is marked as text, so that a person who corrects `00123` in the sheet keeps the zeros.
    static func standard(for type: ColumnType) -> NumberFormat? {
        switch type {
        case .auto, .number, .boolean, .link, .formula: nil
        case .text, .currency: NumberFormat(type: kind(of: type), pattern: nil)
        case .integer: NumberFormat(type: kind(of: type), pattern: "#,##0")
        case .date: NumberFormat(type: kind(of: type), pattern: "yyyy-mm-dd")
        // Elapsed hours: those of a duration do not begin anew after a day.
        case .time: NumberFormat(type: kind(of: type), pattern: "[hh]:mm:ss")
        case .datetime: NumberFormat(type: kind(of: type), pattern: "yyyy-mm-dd hh:mm:ss")
        case .percent: NumberFormat(type: kind(of: type), pattern: "0.00%")
        }
    }

    private static func kind(of type: ColumnType) -> String {
        switch type {
        case .auto, .number, .integer, .boolean, .link, .formula: "NUMBER"
        case .text: "TEXT"
        case .date: "DATE"
        case .time: "TIME"
        case .datetime: "DATE_TIME"
        case .currency: "CURRENCY"
        case .percent: "PERCENT"
        }
    }
}

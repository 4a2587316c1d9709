public import JSON

extension Cell {
    /// Reads Google's `CellData`; nil for what no job can write, such as an error.
    ///
    /// Of the format only the link of the whole text is read.
    public init?(cellData json: JSON) {
        let value: CellValue
        switch json["userEnteredValue"]?.object?.first {
        case nil: value = .empty
        case let member?:
            switch (member.name, member.value) {
            case ("numberValue", .number(let number)): value = .number(number.double)
            case ("boolValue", .bool(let truth)): value = .boolean(truth)
            case ("stringValue", .string("")): value = .empty
            case ("stringValue", .string(let text)): value = .text(text)
            case ("formulaValue", .string(let formula)): value = .formula(formula)
            default: return nil
            }
        }
        self.init(value, link: json["userEnteredFormat"]?["textFormat"]?["link"]?["uri"]?.string)
    }
}

extension CellValue {
    /// Reads a value as `values.get` gives it unformatted, with dates as serial numbers.
    public init(unformatted json: JSON) {
        self =
            switch json {
            case .number(let number): .number(number.double)
            case .bool(let truth): .boolean(truth)
            case .string(let text) where !text.isEmpty: .text(text)
            case .null, .string, .array, .text, .object: .empty
            }
    }

    /// Whether both are the same to the byte, also where two texts only look the same.
    public func isExactly(_ other: CellValue) -> Bool {
        switch (self, other) {
        case (.text(let one), .text(let two)), (.formula(let one), .formula(let two)):
            one.utf8.elementsEqual(two.utf8)
        default: self == other
        }
    }
}

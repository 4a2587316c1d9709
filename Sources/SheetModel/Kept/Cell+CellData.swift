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

    /// Writes it as Google's `CellData`, the next element of an array.
    func write(numberFormat: JSON? = nil, to cells: inout JSONWriter) {
        // No form but the last one is ever read as a formula.
        let form: (name: String, value: JSON)? =
            switch value {
            case .empty: nil
            case .text(let text): ("stringValue", .string(text))
            case .number(let number): ("numberValue", JSON(number))
            case .boolean(let truth): ("boolValue", .bool(truth))
            case .formula(let formula): ("formulaValue", .string(formula))
            }
        cells.object { cell in
            if let form { cell.object("userEnteredValue") { $0.member(form.name, form.value) } }
            guard numberFormat != nil || link != nil else { return }
            cell.object("userEnteredFormat") { format in
                if let numberFormat { format.member("numberFormat", numberFormat) }
                if let link { format.member("textFormat", ["link": ["uri": .string(link)]]) }
            }
        }
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

import JSON

/// What a JSON value must look like.
indirect enum JSONShape: Sendable {
    case boolean
    case number(ClosedRange<Double>)
    case whole(ClosedRange<Int>)
    case text
    case oneOf([String])
    case object([String: JSONShape])
    case list(of: JSONShape, atMost: Int)

    /// Refuses a value of another shape, by the path of the part that is wrong.
    func check(_ value: JSON, at path: String) throws(SheetModelError) {
        switch self {
        case .boolean:
            guard value.bool != nil else { throw wrong("true or false", value, path) }
        case .number(let range):
            guard let number = value.double, range.contains(number) else {
                throw wrong("a number from \(range.lowerBound) to \(range.upperBound)", value, path)
            }
        case .whole(let range):
            guard let number = value.int, range.contains(number) else {
                throw wrong("a whole number from \(range.lowerBound) to \(range.upperBound)", value, path)
            }
        case .text:
            guard let text = value.string, !text.isEmpty else { throw wrong("a text", value, path) }
        case .oneOf(let names):
            guard let text = value.string, names.contains(text) else {
                throw wrong("one of \(names.joined(separator: ", "))", value, path)
            }
        case .object(let members):
            guard let object = value.object else { throw wrong("an object", value, path) }
            for member in object {
                let place = path.isEmpty ? member.name : "\(path).\(member.name)"
                guard let shape = members[member.name] else {
                    throw SheetModelError(.template, "\(excerpt(place)) is no field of a template")
                }
                try shape.check(member.value, at: place)
            }
        case .list(let shape, let limit):
            guard let elements = value.array, elements.count <= limit else {
                throw wrong("a list of at most \(limit)", value, path)
            }
            for (index, element) in elements.enumerated() { try shape.check(element, at: "\(path)[\(index)]") }
        }
    }

    private func wrong(_ expected: String, _ value: JSON, _ path: String) -> SheetModelError {
        let got =
            switch value {
            case .string(let text): excerpt(text)
            case .number(let number) where number.text.utf8.count <= 40: number.text
            case .bool(let truth): truth ? "true" : "false"
            case .null, .number, .array, .text, .object: value.kind
            }
        return SheetModelError(.template, "\(path.isEmpty ? "the file" : path): expected \(expected), got \(got)")
    }
}

extension JSONShape {
    /// A file of a formatting template.
    static let template: JSONShape = .object([
        "header": cellFormat, "body": cellFormat, "alternateRow": cellFormat, "frozenRows": .whole(0...100),
        "filter": .boolean, "columnWidths": .list(of: .whole(Column.widths), atMost: Limits.columns),
    ])

    /// Google's `CellFormat`, without links, which belong to values.
    private static let cellFormat: JSONShape = .object([
        "numberFormat": .object(["type": .oneOf(numberTypes), "pattern": .text]),
        "backgroundColor": color, "backgroundColorStyle": colorStyle,
        "borders": .object(["top": border, "bottom": border, "left": border, "right": border]),
        "padding": .object(["top": padding, "right": padding, "bottom": padding, "left": padding]),
        "horizontalAlignment": .oneOf(["LEFT", "CENTER", "RIGHT"]),
        "verticalAlignment": .oneOf(["TOP", "MIDDLE", "BOTTOM"]),
        "wrapStrategy": .oneOf(["OVERFLOW_CELL", "LEGACY_WRAP", "CLIP", "WRAP"]),
        "textDirection": .oneOf(["LEFT_TO_RIGHT", "RIGHT_TO_LEFT"]),
        "textFormat": .object([
            "foregroundColor": color, "foregroundColorStyle": colorStyle, "fontFamily": .text,
            "fontSize": .whole(1...400), "bold": .boolean, "italic": .boolean, "strikethrough": .boolean,
            "underline": .boolean,
        ]),
        "hyperlinkDisplayType": .oneOf(["LINKED", "PLAIN_TEXT"]),
        "textRotation": .object(["angle": .whole(-90...90), "vertical": .boolean]),
    ])

    private static let numberTypes = [
        "TEXT", "NUMBER", "PERCENT", "CURRENCY", "DATE", "TIME", "DATE_TIME", "SCIENTIFIC",
    ]
    private static let color: JSONShape = .object([
        "red": .number(0...1), "green": .number(0...1), "blue": .number(0...1), "alpha": .number(0...1),
    ])
    private static let colorStyle: JSONShape = .object([
        "rgbColor": color,
        "themeColor": .oneOf([
            "TEXT", "BACKGROUND", "ACCENT1", "ACCENT2", "ACCENT3", "ACCENT4", "ACCENT5", "ACCENT6", "LINK",
        ]),
    ])
    private static let border: JSONShape = .object([
        "style": .oneOf(["NONE", "DOTTED", "DASHED", "SOLID", "SOLID_MEDIUM", "SOLID_THICK", "DOUBLE"]),
        "width": .whole(0...3), "color": color, "colorStyle": colorStyle,
    ])
    private static let padding: JSONShape = .whole(0...1_000)
}

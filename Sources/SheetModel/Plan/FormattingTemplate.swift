public import JSON

/// How a sheet looks: formats as Google's `CellFormat`, colours as its `ColorStyle`.
public struct FormattingTemplate: Sendable, Hashable {
    /// The format of the header row.
    public var header: JSON
    /// The format of all other rows; without a background, which would hide the bands.
    public var body: JSON
    /// The background of the header.
    public var headerColor: JSON
    /// The background of the first, third, … row of data.
    public var firstBandColor: JSON
    /// The background of the second, fourth, … row of data.
    public var secondBandColor: JSON

    /// Makes a template.
    public init(header: JSON, body: JSON, headerColor: JSON, firstBandColor: JSON, secondBandColor: JSON) {
        self.header = header
        self.body = body
        self.headerColor = headerColor
        self.firstBandColor = firstBandColor
        self.secondBandColor = secondBandColor
    }

    /// The built-in look: a bold header on blue-grey, rows on white and a very light grey.
    public static let standard = FormattingTemplate(
        header: [
            "backgroundColorStyle": color(0xDD, 0xE5, 0xEE),
            "textFormat": ["bold": true],
            "verticalAlignment": "MIDDLE",
            "wrapStrategy": "WRAP",
        ],
        body: ["verticalAlignment": "MIDDLE"],
        headerColor: color(0xDD, 0xE5, 0xEE),
        firstBandColor: color(0xFF, 0xFF, 0xFF),
        secondBandColor: color(0xF6, 0xF8, 0xFA))

    private static func color(_ red: Int, _ green: Int, _ blue: Int) -> JSON {
        // Three decimals are enough to give back the same byte.
        func part(_ byte: Int) -> JSON { JSON((Double(byte) / 255 * 1000).rounded() / 1000) }
        return ["rgbColor": ["red": part(red), "green": part(green), "blue": part(blue)]]
    }
}

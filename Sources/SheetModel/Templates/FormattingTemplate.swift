public import JSON

/// How a sheet looks: formats as Google's `CellFormat`, colours as its `ColorStyle`.
public struct FormattingTemplate: Sendable, Hashable {
    /// Colours that alternate row by row.
    public struct Bands: Sendable, Hashable {
        /// The background of the header; nil for that of the rows.
        public var header: JSON?
        /// The background of the first, third, … row of data.
        public var first: JSON
        /// The background of the second, fourth, … row of data.
        public var second: JSON

        /// Makes bands.
        public init(header: JSON?, first: JSON, second: JSON) {
            self.header = header
            self.first = first
            self.second = second
        }
    }

    /// The format of the header row.
    public var header: JSON
    /// The format of all other rows; without a background where there are bands, which it would hide.
    public var body: JSON
    /// The colours of the rows; nil for none that alternate.
    public var bands: Bands?
    /// How many rows stay in sight on a sheet with a header.
    public var frozenRows: Int
    /// Whether a sheet with a header gets a filter over all its columns.
    public var hasFilter: Bool
    /// The widths of the first columns in pixels; the others follow what they hold.
    public var columnWidths: [Int]

    /// Makes a template.
    public init(
        header: JSON, body: JSON, bands: Bands? = nil, frozenRows: Int = 1, hasFilter: Bool = false,
        columnWidths: [Int] = []
    ) {
        self.header = header
        self.body = body
        self.bands = bands
        self.frozenRows = frozenRows
        self.hasFilter = hasFilter
        self.columnWidths = columnWidths
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
        bands: Bands(header: color(0xDD, 0xE5, 0xEE), first: white, second: color(0xF6, 0xF8, 0xFA)))

    static let white = color(0xFF, 0xFF, 0xFF)

    private static func color(_ red: Int, _ green: Int, _ blue: Int) -> JSON {
        // Three decimals are enough to give back the same byte.
        func part(_ byte: Int) -> JSON { JSON((Double(byte) / 255 * 1000).rounded() / 1000) }
        return ["rgbColor": ["red": part(red), "green": part(green), "blue": part(blue)]]
    }
}

public import JSON

extension FormattingTemplate {
    /// Reads a template as its file says it: `header`, `body` and `alternateRow` as Google's `CellFormat`, and `frozenRows`,
    /// `filter` and `columnWidths` (pixels); each may be missing.
    ///
    /// Rows alternate by their background alone, because only a band of colour follows rows that are sorted or added.
    ///
    /// - Throws: What is wrong, with the path of the field.
    public init(_ json: JSON) throws(SheetModelError) {
        try JSONShape.template.check(json, at: "")
        let header = json["header"] ?? [:]
        var body = json["body"] ?? [:]
        var bands: Bands?
        if let alternate = json["alternateRow"] {
            for member in alternate.object ?? JSONObject() where !Self.backgrounds.contains(member.name) {
                guard body[member.name] == member.value else {
                    throw SheetModelError(
                        .template,
                        "alternateRow.\(member.name): only the background of alternate rows may differ from body's")
                }
            }
            if let second = Self.background(of: alternate) {
                bands = Bands(
                    header: Self.background(of: header), first: Self.background(of: body) ?? Self.white,
                    second: second)
                // It would hide the bands.
                body = .object(JSONObject((body.object ?? JSONObject()).filter { !Self.backgrounds.contains($0.name) }))
            }
        }
        self.init(
            header: header, body: body, bands: bands, frozenRows: json["frozenRows"]?.int ?? 1,
            hasFilter: json["filter"]?.bool ?? false,
            columnWidths: json["columnWidths"]?.array?.compactMap(\.int) ?? [])
    }

    private static let backgrounds = ["backgroundColor", "backgroundColorStyle"]

    /// The background of a `CellFormat` as a `ColorStyle`, the newer of its two forms.
    private static func background(of format: JSON) -> JSON? {
        if let style = format["backgroundColorStyle"] { return style }
        return format["backgroundColor"].map { ["rgbColor": $0] }
    }
}

import JSON

/// The write that puts a template over sheets that are there: values, number formats and sizes stay.
public struct FormatPlan: Sendable {
    /// The body for `spreadsheets.batchUpdate`, as compact JSON in UTF-8; it may be sent again at any time, as long as
    /// the sheets have the same coloured bands.
    public let body: [UInt8]

    /// Plans the look of sheets; their first row is the header.
    public init(_ template: FormattingTemplate, sheets: [ExistingSheet]) throws(SheetModelError) {
        let requests = sheets.flatMap { Self.requests(template, $0) }
        guard requests.count <= Limits.requests else {
            throw SheetModelError(
                .tooManyFormats,
                "the look needs \(requests.count.grouped) requests, and Google takes at most \(Limits.requests.grouped)"
            )
        }
        body = JSON.object(JSONObject([.init(name: "requests", value: .array(requests))])).bytes
    }

    /// The members of Google's `TextFormat`, without the link.
    private static let textFormat =
        "foregroundColor,foregroundColorStyle,fontFamily,fontSize,bold,italic,strikethrough,underline"

    private static func requests(_ template: FormattingTemplate, _ sheet: ExistingSheet) -> [JSON] {
        let make = SheetRequests(id: sheet.id)
        let columns = 0..<sheet.columns
        var requests = make.deleteBandings(sheet.bandingIDs)
        requests.append([
            "updateSheetProperties": [
                "properties": [
                    "sheetId": JSON(sheet.id),
                    "gridProperties": ["frozenRowCount": JSON(min(template.frozenRows, sheet.rows - 1))],
                ],
                "fields": "gridProperties.frozenRowCount",
            ]
        ])
        // A background of a cell's own would hide the band.
        let hidden = template.bands == nil ? [] : ["backgroundColor", "backgroundColorStyle"]
        for (format, rows, more) in [(template.body, 1..<sheet.rows, hidden), (template.header, 0..<1, [])] {
            // An address that a cell links to is a part of its text's format, and is not the template's.
            let names =
                (format.object?.names ?? []).map { $0 == "textFormat" ? "textFormat(\(textFormat))" : $0 } + more
            guard !rows.isEmpty, !names.isEmpty else { continue }
            requests.append(
                make.format(
                    format, rows: rows, columns: columns, fields: "userEnteredFormat(\(names.joined(separator: ",")))"))
        }
        if let bands = template.bands {
            requests.append(make.banding(bands, hasHeader: true, rows: 0..<sheet.rows, columns: columns))
        }
        // People's own filter stays.
        if template.hasFilter, sheet.filter == nil {
            requests.append(make.filter(rows: 0..<sheet.rows, columns: columns))
        }
        return requests + make.widths(Array(template.columnWidths.prefix(sheet.columns)))
    }
}

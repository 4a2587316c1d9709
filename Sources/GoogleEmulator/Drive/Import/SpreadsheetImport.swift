import JSON

/// Files that Drive turns into spreadsheets: CSV, TSV and XLSX.
enum SpreadsheetImport {
    private static let workbookType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

    /// The media types that can be turned into spreadsheets.
    static let types = [
        "text/csv", "text/comma-separated-values", "application/csv", "text/tab-separated-values", "text/plain",
        workbookType, "application/vnd.ms-excel",
    ]

    /// The file cannot be turned into a spreadsheet.
    static let failure = GoogleError(code: 400, message: "Bad Request", reason: "badRequest")

    /// The spreadsheet that a file becomes; nil where it is of another type or damaged.
    static func spreadsheet(_ media: Media) -> Spreadsheet? {
        // What the bytes are counts for more than what they are called.
        if media.bytes.starts(with: [0x50, 0x4B, 0x03, 0x04]) {
            return ZipArchive(media.bytes).flatMap { WorkbookReader(archive: $0)?.spreadsheet() }
        }
        guard let type = media.type, types.contains(type), type != workbookType else { return nil }
        return table(CSVReader(media.bytes, separator: type == "text/tab-separated-values" ? 0x09 : 0x2C))
    }

    /// An imported spreadsheet as the content of a file; a table's one sheet is called as the file is.
    static func content(_ imported: Spreadsheet, of file: DriveFile) -> Spreadsheet {
        var content = imported.copy(id: file.id, title: file.name)
        if content.sheets.first?.title.isEmpty == true { content.sheets[0].title = file.name }
        return content
    }

    private static func table(_ rows: CSVReader) -> Spreadsheet {
        var builder = SheetBuilder(Spreadsheet(id: "", title: ""))
        builder.begin(sheet: "")
        for (row, fields) in rows.enumerated() {
            for (column, field) in fields.enumerated() where !field.isEmpty {
                let (value, format) = ImportedText.read(field)
                builder.set(value, format: format.map { ["numberFormat": $0] }, row: row, column: column)
            }
        }
        return builder.finish()
    }
}

/// Spreadsheets as other files: CSV and TSV, which hold the first sheet only.
enum SpreadsheetExport {
    /// The media types that a spreadsheet is exported as.
    static let types = ["text/csv", "text/tab-separated-values"]

    /// The file; nil where the type is none of `types`.
    static func bytes(of spreadsheet: Spreadsheet, type: String) -> [UInt8]? {
        guard types.contains(type), let sheet = spreadsheet.sheets.first else { return nil }
        let formatter = CellFormatter(spreadsheet)
        let columns = sheet.grid.usedColumnCount
        var text: [UInt8] = []
        for index in 0..<sheet.grid.usedRowCount {
            if index > 0 { text += [0x0D, 0x0A] }
            let row = sheet.grid[index]
            for column in 0..<columns {
                if column > 0 { text.append(type == "text/csv" ? 0x2C : 0x09) }
                let value = formatter.text(row[column])
                text += type == "text/csv" ? quoted(value) : flattened(value)
            }
        }
        return text
    }

    /// A value with quotes around it where it needs them.
    private static func quoted(_ value: String) -> [UInt8] {
        guard value.utf8.contains(where: { [0x22, 0x2C, 0x0A, 0x0D].contains($0) }) else { return Array(value.utf8) }
        var bytes: [UInt8] = [0x22]
        for byte in value.utf8 {
            if byte == 0x22 { bytes.append(0x22) }
            bytes.append(byte)
        }
        return bytes + [0x22]
    }

    /// A value without tabs and line breaks, which TSV has no quotes for.
    private static func flattened(_ value: String) -> [UInt8] {
        value.utf8.map { [0x09, 0x0A, 0x0D].contains($0) ? 0x20 : $0 }
    }
}

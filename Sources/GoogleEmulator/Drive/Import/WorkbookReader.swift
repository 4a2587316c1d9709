import JSON

/// Reads an XLSX file (ECMA-376): sheets, values with their types, number formats, bold text, widths and frozen rows.
struct WorkbookReader {
    private let archive: ZipArchive
    private let sheets: [(title: String, path: String)]
    private let texts: [String]
    private let styles: WorkbookStyles
    /// Whether days count from 1904, as old Macs had it.
    private var countsFrom1904 = false

    /// Opens a workbook; nil where the archive holds none.
    init?(archive: ZipArchive) {
        guard let workbook = archive["xl/workbook.xml"] else { return nil }
        self.archive = archive
        let targets = Self.targets(archive["xl/_rels/workbook.xml.rels"] ?? [])
        var sheets: [(title: String, path: String)] = []
        var reader = XMLReader(workbook)
        while let event = reader.next() {
            guard case .begin(let name, let attributes) = event else { continue }
            if name == "workbookPr", ["1", "true"].contains(attributes["date1904"]) { countsFrom1904 = true }
            // The relation's id is `r:id`; the sheet's own number is `sheetId`.
            if name == "sheet", let title = attributes["name"], let target = attributes["id"].flatMap({ targets[$0] }) {
                sheets.append((title, target.hasPrefix("/") ? String(target.dropFirst()) : "xl/" + target))
            }
        }
        self.sheets = sheets
        texts = Self.texts(archive["xl/sharedStrings.xml"] ?? [])
        styles = WorkbookStyles(archive["xl/styles.xml"] ?? [])
    }

    /// The workbook as a spreadsheet; nil where a sheet is missing from the archive.
    func spreadsheet() -> Spreadsheet? {
        var builder = SheetBuilder(Spreadsheet(id: "", title: ""))
        for sheet in sheets {
            guard let bytes = archive[sheet.path] else { return nil }
            builder.begin(sheet: sheet.title)
            read(bytes, into: &builder)
        }
        return sheets.isEmpty ? nil : builder.finish()
    }

    /// The parts that a workbook refers to, by the id of the relation.
    private static func targets(_ bytes: [UInt8]) -> [String: String] {
        var targets: [String: String] = [:]
        var reader = XMLReader(bytes)
        while let event = reader.next() {
            guard case .begin("Relationship", let attributes) = event, let id = attributes["Id"] else { continue }
            targets[id] = attributes["Target"]
        }
        return targets
    }

    /// The texts that cells share; each may be in several runs, and phonetic hints are not part of it.
    private static func texts(_ bytes: [UInt8]) -> [String] {
        var texts: [String] = []
        var reader = XMLReader(bytes)
        var isText = false
        var isHint = false
        while let event = reader.next() {
            switch event {
            case .begin("si", _): texts.append("")
            case .begin("rPh", _): isHint = true
            case .end("rPh"): isHint = false
            case .begin("t", _): isText = true
            case .end("t"): isText = false
            case .text(let text) where isText && !isHint && !texts.isEmpty: texts[texts.count - 1] += text
            default: break
            }
        }
        return texts
    }

    private struct OpenCell {
        var row = 0
        var column = 0
        var type = ""
        var style = 0
        var value = ""
        var formula = ""
    }

    private func read(_ bytes: [UInt8], into builder: inout SheetBuilder) {
        var reader = XMLReader(bytes)
        var (row, column) = (-1, -1)
        var cell = OpenCell()
        var target: WritableKeyPath<OpenCell, String>?
        while let event = reader.next() {
            switch event {
            case .begin("pane", let attributes) where attributes["state"]?.hasPrefix("frozen") == true:
                builder.freeze(
                    rows: attributes["ySplit"].flatMap { Double($0) }.map { Int($0) } ?? 0,
                    columns: attributes["xSplit"].flatMap { Double($0) }.map { Int($0) } ?? 0)
            case .begin("col", let attributes):
                guard let first = attributes["min"].flatMap({ Int($0) }), let width = attributes["width"],
                    let characters = Double(width), first > 0, (0...255).contains(characters)
                else { break }
                let last = attributes["max"].flatMap { Int($0) } ?? first
                // A width counts digits of the usual font, seven pixels each, and has a margin of five.
                builder.setWidth(Int(characters * 7 + 5), columns: first - 1..<max(first, last))
            case .begin("row", let attributes):
                row = attributes["r"].flatMap { Int($0) }.map { $0 - 1 } ?? row + 1
                column = -1
            case .begin("c", let attributes):
                column = attributes["r"].flatMap(Self.column) ?? column + 1
                cell = OpenCell(
                    row: row, column: column, type: attributes["t"] ?? "n",
                    style: attributes["s"].flatMap { Int($0) } ?? 0)
            case .begin("v", _): target = \.value
            case .begin("t", _): target = \.value
            case .begin("f", _): target = \.formula
            case .end("v"), .end("t"), .end("f"): target = nil
            case .text(let text): if let target { cell[keyPath: target] += text }
            case .end("c"):
                let format = styles.formats.indices.contains(cell.style) ? styles.formats[cell.style] : nil
                let value = value(cell, format)
                guard value != .empty || format != nil, (0..<1_048_576).contains(cell.row),
                    (0..<18_278).contains(cell.column)
                else { break }
                builder.set(value, format: format, row: cell.row, column: cell.column)
            default: break
            }
        }
    }

    private func value(_ cell: OpenCell, _ format: JSON?) -> CellValue {
        if !cell.formula.isEmpty { return .formula("=" + cell.formula) }
        guard !cell.value.isEmpty else { return .empty }
        switch cell.type {
        case "s": return Int(cell.value).flatMap { texts.indices.contains($0) ? .text(texts[$0]) : nil } ?? .empty
        case "str", "inlineStr", "e": return .text(cell.value)
        case "b": return .boolean(cell.value == "1")
        case "d":
            let time = Timestamp(rfc3339: cell.value)
            return time.map { .number(Double($0.milliseconds) / 86_400_000 + 25_569) } ?? .text(cell.value)
        default:
            guard let number = Double(cell.value) else { return .text(cell.value) }
            let isDate = format?["numberFormat"]?["type"]?.string?.hasPrefix("DATE") == true
            return .number(countsFrom1904 && isDate ? number + 1462 : number)
        }
    }

    /// The column of `AB12`, from 0.
    private static func column(_ reference: String) -> Int? {
        var column = 0
        for byte in reference.utf8 {
            guard (0x41...0x5A).contains(byte) else { break }
            column = column * 26 + Int(byte - 0x40)
        }
        return column > 0 && column < 1 << 20 ? column - 1 : nil
    }
}

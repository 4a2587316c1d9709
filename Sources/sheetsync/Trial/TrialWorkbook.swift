internal import CZlib

/// A workbook (XLSX, ECMA-376) of one sheet with one of each thing that a conversion may lose.
enum TrialWorkbook {
    static let type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    static let sheetName = "Data"
    /// The names in the bold header row.
    static let header = ["Text", "Number", "Day", "Share", "Ticked"]
    /// Texts that have to stay texts.
    static let texts = ["=1+1", "007"]
    static let number = 1234.5
    /// 2026-11-22, as days since 1899-12-30.
    static let day = 46_348
    static let share = 0.25
    /// The patterns of the formats of number, day and share.
    static let patterns = ["#,##0.00", "yyyy-mm-dd", "0.00%"]
    /// The width of the first column: 30 digits of seven pixels, and a margin of five.
    static let pixels = 215

    /// The file.
    static var bytes: [UInt8] {
        StoredZip.bytes([
            ("[Content_Types].xml", types), ("_rels/.rels", relations), ("xl/workbook.xml", workbook),
            ("xl/_rels/workbook.xml.rels", workbookRelations), ("xl/styles.xml", styles),
            ("xl/sharedStrings.xml", sharedStrings), ("xl/worksheets/sheet1.xml", sheet),
        ])
    }

    private static let start = #"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"# + "\n"
    private static let main = #"xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main""#
    private static let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    private static let package = "http://schemas.openxmlformats.org/package/2006"

    private static var types: String {
        let parts = [
            ("workbook", "sheet.main"), ("worksheets/sheet1", "worksheet"), ("styles", "styles"),
            ("sharedStrings", "sharedStrings"),
        ].map { path, kind in
            "<Override PartName=\"/xl/\(path).xml\" "
                + "ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.\(kind)+xml\"/>"
        }
        return start + "<Types xmlns=\"\(package)/content-types\">"
            + "<Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>"
            + "<Default Extension=\"xml\" ContentType=\"application/xml\"/>\(parts.joined())</Types>"
    }

    private static func relations(_ targets: [(kind: String, target: String)]) -> String {
        let list = targets.enumerated().map { index, target in
            "<Relationship Id=\"rId\(index + 1)\" Type=\"\(office)/\(target.kind)\" Target=\"\(target.target)\"/>"
        }
        return start + "<Relationships xmlns=\"\(package)/relationships\">\(list.joined())</Relationships>"
    }

    private static var relations: String { relations([("officeDocument", "xl/workbook.xml")]) }

    private static var workbookRelations: String {
        relations([
            ("worksheet", "worksheets/sheet1.xml"), ("styles", "styles.xml"), ("sharedStrings", "sharedStrings.xml"),
        ])
    }

    private static var workbook: String {
        start + "<workbook \(main) xmlns:r=\"\(office)\"><sheets>"
            + "<sheet name=\"\(sheetName)\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"
    }

    /// The styles of cells: 0 none, 1 bold, 2 number, 3 day, 4 share.
    private static var styles: String {
        let formats = patterns.enumerated().map { "<numFmt numFmtId=\"\(164 + $0)\" formatCode=\"\($1)\"/>" }.joined()
        let font = #"<sz val="11"/><name val="Calibri"/><family val="2"/>"#
        let cells = ["0\" fontId=\"0", "0\" fontId=\"1", "164\" fontId=\"0", "165\" fontId=\"0", "166\" fontId=\"0"].map
        {
            "<xf numFmtId=\"\($0)\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyFont=\"1\" applyNumberFormat=\"1\"/>"
        }
        return start + "<styleSheet \(main)><numFmts count=\"3\">\(formats)</numFmts>"
            + "<fonts count=\"2\"><font>\(font)</font><font><b/>\(font)</font></fonts>"
            + #"<fills count="2"><fill><patternFill patternType="none"/></fill>"#
            + #"<fill><patternFill patternType="gray125"/></fill></fills>"#
            + #"<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>"#
            + #"<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>"#
            + "<cellXfs count=\"5\">\(cells.joined())</cellXfs>"
            + #"<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>"#
    }

    private static var sharedStrings: String {
        start + "<sst \(main) count=\"5\" uniqueCount=\"5\">\(header.map { "<si><t>\($0)</t></si>" }.joined())</sst>"
    }

    private static var sheet: String {
        let columns = ["A", "B", "C", "D", "E"]
        let names = columns.enumerated().map { "<c r=\"\($1)1\" s=\"1\" t=\"s\"><v>\($0)</v></c>" }.joined()
        func text(_ row: Int, _ value: String) -> String {
            "<c r=\"A\(row)\" t=\"inlineStr\"><is><t>\(value)</t></is></c>"
        }
        return start + "<worksheet \(main)><sheetViews><sheetView workbookViewId=\"0\">"
            + #"<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>"#
            + #"<cols><col min="1" max="1" width="30" customWidth="1"/></cols><sheetData>"#
            + "<row r=\"1\">\(names)</row>"
            + "<row r=\"2\">\(text(2, texts[0]))<c r=\"B2\" s=\"2\"><v>\(number)</v></c>"
            + "<c r=\"C2\" s=\"3\"><v>\(day)</v></c><c r=\"D2\" s=\"4\"><v>\(share)</v></c>"
            + "<c r=\"E2\" t=\"b\"><v>1</v></c></row>"
            + "<row r=\"3\">\(text(3, texts[1]))</row></sheetData></worksheet>"
    }
}

/// A ZIP file whose members are not compressed (APPNOTE.TXT).
private enum StoredZip {
    static func bytes(_ members: [(name: String, text: String)]) -> [UInt8] {
        var file: [UInt8] = []
        var directory: [UInt8] = []
        for (name, text) in members {
            let content = Array(text.utf8)
            let size = number(content.count, 4)
            // Version 2.0, no flags, stored, 1980-01-01; then the checksum, both sizes, and the lengths of name and extra field.
            let common =
                number(20, 2) + number(0, 4) + number(0, 2) + number(33, 2) + number(checksum(content), 4) + size + size
                + number(name.utf8.count, 2) + number(0, 2)
            directory += number(0x0201_4B50, 4) + number(20, 2) + common + number(0, 10) + number(file.count, 4)
            directory += Array(name.utf8)
            file += number(0x0403_4B50, 4) + common + Array(name.utf8) + content
        }
        let count = number(members.count, 2)
        return file + directory + number(0x0605_4B50, 4) + number(0, 4) + count + count
            + number(directory.count, 4) + number(file.count, 4) + number(0, 2)
    }

    private static func checksum(_ bytes: [UInt8]) -> Int {
        unsafe bytes.withUnsafeBufferPointer { Int(unsafe crc32(0, $0.baseAddress, UInt32($0.count))) }
    }

    /// A number of so many bytes, the lowest first.
    private static func number(_ value: Int, _ bytes: Int) -> [UInt8] {
        (0..<bytes).map { $0 < 8 ? UInt8(truncatingIfNeeded: value >> (8 * $0)) : 0 }
    }
}

import JSON

/// A spreadsheet as a person sees it: one sheet's grid, page by page, and the tabs.
struct SpreadsheetPage {
    /// How many rows a page shows below the frozen ones.
    private static let rowsPerPage = 500
    /// How many rows and columns are shown at least, and how many beyond the last in use.
    private static let least = (rows: 30, columns: 12)
    private static let margin = (rows: 5, columns: 2)
    private static let rowHeaderWidth = 46
    private static let columnHeaderHeight = 22

    private let spreadsheet: Spreadsheet
    private let world: World
    private let sheet: Sheet
    private let firstRow: Int
    private let reader: CellReader
    private let place: Int
    /// The columns and rows that are not hidden.
    private let columns: [Int]
    private let rows: [Int]
    private let shownEnd: Int

    /// Takes what the address asks for: `?sheet=ID&from=ROW`.
    init(_ spreadsheet: Spreadsheet, _ world: World, _ query: Query) {
        self.spreadsheet = spreadsheet
        self.world = world
        reader = CellReader(spreadsheet)
        let asked = query["sheet"].flatMap(Int.init).flatMap(spreadsheet.index(ofSheet:))
        let index = asked ?? spreadsheet.sheets.firstIndex { !$0.isHidden } ?? 0
        place = index
        let sheet = spreadsheet.sheets[index]
        self.sheet = sheet
        let grid = sheet.grid
        shownEnd = min(grid.rowCount, max(Self.least.rows, grid.usedRowCount + Self.margin.rows))
        let frozen = min(sheet.frozenRowCount, shownEnd)
        firstRow = min(max(query["from"].flatMap(Int.init) ?? 0, frozen), max(shownEnd - 1, 0))
        let columnEnd = min(grid.columnCount, max(Self.least.columns, grid.usedColumnCount + Self.margin.columns), 500)
        columns = (0..<columnEnd).filter { sheet.columnProperties[$0]?["hiddenByUser"]?.bool != true }
        rows = (Array(0..<frozen) + Array(firstRow..<min(shownEnd, firstRow + Self.rowsPerPage)))
            .filter { sheet.rowProperties[$0]?["hiddenByUser"]?.bool != true }
    }

    /// The page.
    var html: String {
        let file = world.drive[spreadsheet.id]
        let place = file.map { PageLayout.path(to: $0, world.drive) } ?? ""
        var styles = StyleSheet()
        let table = table(&styles)
        return PageLayout.html(
            title: spreadsheet.title, style: Self.style + "\n" + styles.css,
            body: """
                \(PageLayout.bar(sign: "sheet", title: spreadsheet.title, place: place))
                <main><table style="width:\(tableWidth)px">
                \(table)
                </table></main>
                <footer>\(tabs)<span class="size">\(size)\(pages)</span></footer>
                """)
    }

    private var tableWidth: Int { columns.reduce(Self.rowHeaderWidth) { $0 + sheet.width(ofColumn: $1) } }

    private func table(_ styles: inout StyleSheet) -> String {
        var html = "<colgroup><col style=\"width:\(Self.rowHeaderWidth)px\">"
        for column in columns { html += "<col style=\"width:\(sheet.width(ofColumn: column))px\">" }
        html += "</colgroup>\n<thead><tr><th class=\"corner\"></th>"
        for column in columns {
            html += "<th\(frozenColumn(column, top: 0, isHeader: true))>\(A1.letters(column))</th>"
        }
        html += "</tr></thead>\n<tbody>\n"
        var top = Self.columnHeaderHeight
        for row in rows {
            html += self.row(row, top: top, &styles)
            if row < sheet.frozenRowCount { top += sheet.height(ofRow: row) }
        }
        return html + "</tbody>"
    }

    private func row(_ row: Int, top: Int, _ styles: inout StyleSheet) -> String {
        let isFrozen = row < sheet.frozenRowCount
        let line = row == sheet.frozenRowCount - 1 ? " class=\"line\"" : ""
        let place = isFrozen ? " style=\"top:\(top)px;z-index:3\"" : ""
        var html = "<tr style=\"height:\(sheet.height(ofRow: row))px\"\(line)><th\(place)>\(row + 1)</th>"
        let cells = sheet.grid[row]
        for column in columns {
            let cell = cells[column]
            let format = spreadsheet.formats[cell.format]
            let banding = sheet.bandings.lazy.compactMap { $0.color(row: row, column: column, in: sheet.grid) }.first
            let name = styles.name(CellStyle.css(format, value: cell.value, banding: banding))
            let attributes = frozenColumn(column, top: isFrozen ? top : nil, isHeader: false, also: name)
            html += "<td\(attributes)>\(content(cell, cells.extras[column], format, row, column))</td>"
        }
        return html + "</tr>\n"
    }

    /// The class and the place of a cell, so that it stays in view where its row or column is frozen.
    private func frozenColumn(_ column: Int, top: Int?, isHeader: Bool, also name: String = "") -> String {
        var names = name.isEmpty ? [] : [name]
        var style: [String] = []
        let isFrozen = column < sheet.frozenColumnCount
        if column == sheet.frozenColumnCount - 1 { names.append("edge") }
        if isFrozen {
            let left = columns.prefix { $0 < column }.reduce(Self.rowHeaderWidth) { $0 + sheet.width(ofColumn: $1) }
            style.append("left:\(left)px")
        }
        if let top, !isHeader { style.append("top:\(top)px") }
        if isFrozen || (top != nil && !isHeader) {
            names.append("fixed")
            style.append("z-index:\(isHeader ? 4 : isFrozen && top != nil ? 3 : 2)")
        }
        return (names.isEmpty ? "" : " class=\"\(names.joined(separator: " "))\"")
            + (style.isEmpty ? "" : " style=\"\(style.joined(separator: ";"))\"")
    }

    private func content(_ cell: Cell, _ extras: JSONObject?, _ format: JSONObject, _ row: Int, _ column: Int) -> String
    {
        var html = HTML.escape(reader.text(cell, sheet: place, row: row, column: column))
        if let link = CellLink(cell, format: format, extras: extras) {
            html = "<a href=\"\(HTML.escape(link.address))\">\(link.label.map(HTML.escape) ?? html)</a>"
        } else if case .formula(let formula) = cell.value {
            html = "<span title=\"\(HTML.escape(formula))\">\(html)</span>"
        }
        if let note = extras?["note"]?.string {
            html += "<span class=\"note\" title=\"\(HTML.escape(note))\"></span>"
        }
        if let range = sheet.basicFilter?["range"].flatMap({ try? GridRange($0) }),
            range.rows(in: sheet.grid).first == row, range.columns(in: sheet.grid).contains(column)
        {
            html += "<span class=\"filter\"></span>"
        }
        return html
    }

    private var tabs: String {
        spreadsheet.sheets.filter { !$0.isHidden || $0.id == sheet.id }.map { tab in
            let color =
                tab.properties["tabColor"]?.object.map { "box-shadow:inset 0 -3px \(CellStyle.color($0))" } ?? ""
            return
                "<a class=\"tab\(tab.id == sheet.id ? " active" : "")\" style=\"\(color)\" href=\"\(address(tab.id, 0))\">"
                + "\(HTML.escape(tab.title))</a>"
        }.joined()
    }

    private var size: String {
        let used = sheet.grid.usedRowCount
        return
            "\(used) \(used == 1 ? "row" : "rows") in use, grid \(sheet.grid.rowCount) &times; \(sheet.grid.columnCount)"
    }

    private var pages: String {
        let last = min(shownEnd, firstRow + Self.rowsPerPage)
        guard firstRow > sheet.frozenRowCount || last < shownEnd else { return "" }
        var html = " &middot; rows \(firstRow + 1) to \(last)"
        if firstRow > sheet.frozenRowCount {
            html += " <a href=\"\(address(sheet.id, max(0, firstRow - Self.rowsPerPage)))\">earlier</a>"
        }
        if last < shownEnd { html += " <a href=\"\(address(sheet.id, last))\">later</a>" }
        return html
    }

    private func address(_ sheet: Int, _ row: Int) -> String {
        "/spreadsheets/d/\(PercentCoding.encode(spreadsheet.id))/edit?sheet=\(sheet)\(row > 0 ? "&amp;from=\(row)" : "")"
    }

    private static let style = """
        html, body { height: 100%; }
        body { display: flex; flex-direction: column; }
        main { flex: 1; overflow: auto; background: #fff; border-top: 1px solid #c4c7c5; }
        table { table-layout: fixed; border-collapse: separate; border-spacing: 0; font: 10pt Arial, sans-serif; }
        td, th { border: 0 solid #e1e3e1; border-width: 0 1px 1px 0; padding: 0 3px; overflow: hidden; }
        td { white-space: pre; vertical-align: bottom; background: #fff; position: relative; text-overflow: clip; }
        th { position: sticky; background: #f8f9fa; color: #444746; font-weight: 400; font-size: 9pt; border-color: #c4c7c5; text-align: center; }
        thead th { top: 0; height: \(columnHeaderHeight)px; z-index: 3; }
        tbody th { left: 0; z-index: 1; }
        thead th.corner { left: 0; z-index: 5; }
        .fixed { position: sticky; }
        tr.line > * { border-bottom: 3px solid #c0c0c0; }
        .edge { border-right: 3px solid #c0c0c0; }
        .note { position: absolute; top: 0; right: 0; border: 4px solid; border-color: #f29900 #f29900 transparent transparent; }
        .filter { position: absolute; right: 3px; bottom: 3px; width: 15px; height: 15px; background: #fff; border: 1px solid #188038; border-radius: 2px; }
        .filter::after { content: ""; position: absolute; left: 3px; top: 5px; border: 4px solid transparent; border-top-color: #188038; border-bottom: 0; }
        footer { display: flex; align-items: stretch; background: #f9fbfd; border-top: 1px solid #c4c7c5; padding: 0 16px 0 46px; overflow-x: auto; flex: none; }
        .tab { padding: 8px 16px; color: #444746; white-space: nowrap; }
        .tab.active { background: #e1e9f7; color: #0b57d0; font-weight: 500; }
        .size { margin-left: auto; align-self: center; padding-left: 24px; color: #5f6368; font-size: 12px; white-space: nowrap; }
        """
}

import JSON

/// A spreadsheet: a value, so that a batch can be tried on a copy and thrown away.
struct Spreadsheet: Sendable {
    /// The most cells that a spreadsheet may have, the empty ones too.
    static let greatestCellCount = 10_000_000
    /// The most characters that a cell may have, in UTF-16 units.
    static let greatestTextLength = 50_000

    private(set) var id: String
    private(set) var title: String
    var locale = "en_US"
    var timeZone = "Etc/GMT"
    /// The rest of `SpreadsheetProperties` that somebody set.
    var properties = JSONObject()
    var sheets: [Sheet]
    var formats = FormatTable()
    var developerMetadata: [DeveloperMetadata] = []
    /// Google's `NamedRange`s.
    var namedRanges: [JSONObject] = []

    /// A new spreadsheet as Drive makes it: `Sheet1` with the id 0 and 1,000 rows of 26 columns.
    init(id: String, title: String) {
        self.id = id
        self.title = title
        sheets = [Sheet(id: 0, title: "Sheet1", grid: Grid(rowCount: 1000, columnCount: 26))]
    }

    /// Gives it another name, which is its file's name too.
    mutating func rename(_ title: String) { self.title = title }

    /// The same content under another id and name.
    func copy(id: String, title: String) -> Spreadsheet {
        var copy = self
        copy.id = id
        copy.title = title
        return copy
    }

    /// The place of a sheet among the tabs.
    func index(ofSheet id: Int) -> Int? { sheets.firstIndex { $0.id == id } }

    /// The place of the sheet of a title, which is told from others without regard to case.
    func index(ofTitle title: String) -> Int? {
        if let index = sheets.firstIndex(where: { $0.title == title }) { return index }
        let lowercased = title.lowercased()
        return sheets.firstIndex { $0.title.lowercased() == lowercased }
    }

    /// What a named range stands for.
    func namedRange(_ name: String) -> GridRange? {
        let lowercased = name.lowercased()
        return namedRanges.first { $0["name"]?.string?.lowercased() == lowercased }?["range"].flatMap {
            try? GridRange($0)
        }
    }

    /// How many cells all grids have.
    var cellCount: Int { sheets.reduce(0) { $0 + $1.grid.cellCount } }

    /// The place of the sheet whose cells a request means.
    func grid(_ id: Int) throws(RequestError) -> Int {
        guard let index = index(ofSheet: id) else { throw RequestError("No grid with id: \(id)") }
        return index
    }

    /// The place of the sheet that a request means.
    func sheet(_ id: Int) throws(RequestError) -> Int {
        guard let index = index(ofSheet: id) else { throw RequestError("No sheet with id: \(id)") }
        return index
    }
}

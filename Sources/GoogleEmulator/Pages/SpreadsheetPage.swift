/// A spreadsheet as a person sees it.
struct SpreadsheetPage {
    init(_ spreadsheet: Spreadsheet, _ world: World, _ query: Query) {}
    var html: String { "" }
}

import JSON
import SheetModel

/// Where in a sheet that is there the rows of a job belong.
public struct SheetPosition: Sendable, Hashable {
    /// The index from 0 of the row with the header; nil for the first row, or where a table says it.
    var headerRow: Int?
    /// The name or the id of the table that the rows belong in.
    var table: String?
    /// Whether the whole sheet is made like new.
    var isReset = false

    /// The members of a sheet that say it.
    static let names = ["header_row", "table", "reset"]

    /// Reads them.
    static func read(_ object: PayloadObject, mode: SheetMode, hasHeader: Bool) throws(PayloadError) -> SheetPosition {
        var position = SheetPosition()
        position.isReset = try object.boolean("reset") ?? false
        if position.isReset, mode != .replace {
            throw PayloadError(at: object.path(of: "reset"), "goes with the mode replace alone")
        }
        if let row = try object.integer("header_row") {
            guard (1...Limits.cells).contains(row) else {
                throw PayloadError(at: object.path(of: "header_row"), "expected the number of a row, from 1 on")
            }
            position.headerRow = row - 1
        }
        if let table = try object.string("table") {
            guard !table.isEmpty, table.utf16.count <= Limits.cellLength else {
                throw PayloadError(at: object.path(of: "table"), "expected the name of a table")
            }
            guard position.headerRow == nil else {
                throw PayloadError(
                    at: object.path(of: "table"), "goes without header_row: a table says where its header is")
            }
            position.table = table
        }
        for name in ["header_row", "table"] where object[name] != nil {
            guard hasHeader else { throw PayloadError(at: object.path(of: name), "goes with columns or a query") }
            guard !position.isReset else { throw PayloadError(at: object.path(of: name), "goes without reset") }
        }
        return position
    }

    /// Whether it names a place that only a sheet has that is there.
    var namesPlace: Bool { headerRow ?? 0 > 0 || table != nil }
}

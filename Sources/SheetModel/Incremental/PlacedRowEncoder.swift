import JSON

/// Writes a job's rows as Google's `RowData` for the places that its columns have in a sheet.
struct PlacedRowEncoder: Sendable {
    private let encoder: RowEncoder
    private let row: [RowEncoder.Place]
    /// What of a cell is written.
    let fields: String

    /// Makes an encoder.
    ///
    /// - Parameters:
    ///   - formats: Google's `NumberFormat` of the sheet's columns, as far as they have one; nil to write values alone.
    init(columns: [Column], places: ColumnPlaces, formats: [JSON?]?) {
        encoder = RowEncoder(columns: columns)
        var columnOfPlace: [Int?] = Array(repeating: nil, count: places.width)
        for (column, place) in places.indices.enumerated() { columnOfPlace[place] = column }
        row = columnOfPlace.enumerated().map { place, column in
            guard let formats else { return RowEncoder.Place(column: column, format: nil) }
            let own = place < formats.count ? formats[place] : Optional.none
            let format = column.map { columns[$0].format(in: own) } ?? own
            return RowEncoder.Place(column: column, format: format?.isNull == false ? format?.bytes : nil)
        }
        fields =
            SheetRequests.contents + (row.contains { $0.format != nil } ? ",userEnteredFormat.numberFormat" : "")
    }

    /// Writes a row; what stands between the columns stays empty.
    func append(_ line: ArraySlice<UInt8>, to writer: inout JSONWriter) {
        encoder.append(line.span, row, at: encoder.cells(of: line.span), to: &writer)
    }
}

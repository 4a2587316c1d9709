import JSON

/// Writes a job's rows as Google's `RowData` for the places that its columns have in a sheet.
struct PlacedRowEncoder: Sendable {
    private struct Slot {
        /// The job's column; nil for one that only stands between two of them.
        let column: Int?
        let format: JSON?
    }

    private let decoder: RowDecoder
    private let slots: [Slot]
    /// What of a cell is written.
    let fields: String

    /// Makes an encoder.
    ///
    /// - Parameters:
    ///   - formats: Google's `NumberFormat` of the sheet's columns, as far as they have one; nil to write values alone.
    init(columns: [Column], places: ColumnPlaces, formats: [JSON?]?) {
        decoder = RowDecoder(columns)
        var columnOfPlace: [Int?] = Array(repeating: nil, count: places.width)
        for (column, place) in places.indices.enumerated() { columnOfPlace[place] = column }
        slots = columnOfPlace.enumerated().map { place, column in
            guard let formats else { return Slot(column: column, format: Optional.none) }
            let own = place < formats.count ? formats[place] : Optional.none
            let format = column.map { columns[$0].format(in: own) } ?? own
            return Slot(column: column, format: format?.isNull == true ? Optional.none : format)
        }
        fields =
            SheetRequests.contents + (slots.contains { $0.format != nil } ? ",userEnteredFormat.numberFormat" : "")
    }

    /// A row; what stands between the columns stays empty.
    func row(_ line: ArraySlice<UInt8>) throws(JSONError) -> [UInt8] {
        let cells = try decoder.cells(of: line)
        var writer = JSONWriter(reserving: slots.count * 48 + 16)
        writer.object { row in
            row.array("values") { values in
                for slot in slots {
                    (slot.column.map { cells[$0] } ?? Cell(.empty)).write(numberFormat: slot.format, to: &values)
                }
            }
        }
        return writer.bytes
    }
}

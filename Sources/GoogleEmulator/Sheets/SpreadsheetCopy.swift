import JSON

extension Spreadsheet {
    /// Takes in a copy of a sheet, of this spreadsheet or another one; gives the copy's properties.
    ///
    /// - Parameters:
    ///   - id: the copy's id; nil for any that is free
    ///   - title: the copy's title; nil for `Copy of …`
    ///   - index: the copy's place; nil for the last
    mutating func add(
        _ sheet: Sheet, of source: Spreadsheet, id: Int? = nil, title: String? = nil, at index: Int? = nil
    ) -> JSON {
        var copy = sheet
        copy.id = id ?? SheetRequests.freeID(in: self)
        copy.title = title ?? freeTitle("Copy of " + sheet.title)
        copy.properties["hidden"] = nil
        let newID = copy.id
        copy.mapRanges { range in
            var range = range
            range.sheetID = newID
            return range
        }
        copy.bandings = copy.bandings.map { banding in
            BandedRange(id: Identifiers.number(), range: banding.range, properties: banding.properties)
        }
        for place in copy.protectedRanges.indices {
            copy.protectedRanges[place]["protectedRangeId"] = JSON(Identifiers.number())
        }
        for place in copy.tables.indices { copy.tables[place]["tableId"] = .string(String(Identifiers.number())) }
        if source.id != self.id { takeFormats(of: source, into: &copy) }
        let place = index ?? sheets.count
        sheets.insert(copy, at: place)
        return copy.propertiesJSON(index: place)
    }

    private mutating func takeFormats(of source: Spreadsheet, into sheet: inout Sheet) {
        var numbers: [UInt32: UInt32] = [0: 0]
        var formats = self.formats
        sheet.grid.changeRows { row in
            for column in row.cells.indices where row.cells[column].format != 0 {
                let old = row.cells[column].format
                let new = numbers[old] ?? formats.number(of: source.formats[old])
                numbers[old] = new
                row[column].format = new
            }
        }
        self.formats = formats
    }

    private func freeTitle(_ wanted: String) -> String {
        var title = wanted
        var number = 2
        while index(ofTitle: title) != nil {
            title = "\(wanted) \(number)"
            number += 1
        }
        return title
    }
}

import JSON

/// Google's `DataFilter`: cells by an A1 range, a grid range, or the developer metadata that hangs on them.
enum DataFilter {
    /// The ranges that a filter selects; a lookup may select many or none.
    static func ranges(_ filter: JSON, in spreadsheet: Spreadsheet) throws(RequestError) -> [GridRange] {
        if let text = filter["a1Range"]?.string {
            guard let range = A1.range(text, in: spreadsheet) else {
                throw RequestError("Unable to parse range: \(text)")
            }
            return [range]
        }
        if let json = filter["gridRange"] {
            let range = try GridRange(json)
            _ = try spreadsheet.grid(range.sheetID)
            return [range]
        }
        return try metadata(filter, in: spreadsheet).compactMap { metadata in
            switch metadata.location {
            case .spreadsheet: nil
            case .sheet(let id): GridRange(sheetID: id)
            case .row(let id, let index): GridRange(sheetID: id, rows: index..<index + 1)
            case .column(let id, let index): GridRange(sheetID: id, columns: index..<index + 1)
            }
        }
    }

    /// The developer metadata that a filter selects: what its lookup fits, or what hangs within its range.
    static func metadata(_ filter: JSON, in spreadsheet: Spreadsheet) throws(RequestError) -> [DeveloperMetadata] {
        guard let lookup = filter["developerMetadataLookup"] else {
            let ranges =
                filter["a1Range"] == nil && filter["gridRange"] == nil ? nil : try ranges(filter, in: spreadsheet)
            guard let ranges else { throw RequestError("Must specify a data filter.") }
            return spreadsheet.developerMetadata.filter { metadata in
                ranges.contains { Self.contains($0, metadata.location) }
            }
        }
        let location = try lookup["metadataLocation"].map { (json) throws(RequestError) in
            try MetadataRequests.location(json, spreadsheet)
        }
        let intersects = lookup["locationMatchingStrategy"]?.string != "EXACT_LOCATION"
        return spreadsheet.developerMetadata.filter { metadata in
            fits(lookup["metadataId"]?.int, metadata.id) && fits(lookup["metadataKey"]?.string, metadata.key)
                && fits(lookup["metadataValue"]?.string, metadata.value)
                && fits(lookup["visibility"]?.string, metadata.visibility)
                && fits(lookup["locationType"]?.string, metadata.location.type)
                && (location.map { $0 == metadata.location || intersects && $0.covers(metadata.location) } ?? true)
        }
    }

    private static func fits<Value: Equatable>(_ wanted: Value?, _ value: Value?) -> Bool {
        wanted == nil || wanted == value
    }

    private static func contains(_ range: GridRange, _ location: DeveloperMetadata.Location) -> Bool {
        switch location {
        case .spreadsheet: false
        case .sheet(let id): range == GridRange(sheetID: id)
        case .row(let id, let index):
            range.sheetID == id && ((range.startRow ?? 0)..<(range.endRow ?? .max)).contains(index)
        case .column(let id, let index):
            range.sheetID == id && ((range.startColumn ?? 0)..<(range.endColumn ?? .max)).contains(index)
        }
    }
}

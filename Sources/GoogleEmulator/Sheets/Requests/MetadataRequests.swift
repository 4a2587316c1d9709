import JSON

/// The requests about developer metadata.
enum MetadataRequests {
    /// The most characters that all metadata of a spreadsheet, or of one sheet, may have together.
    private static let greatestLength = 30_000

    @Sendable static func createDeveloperMetadata(
        _ request: JSON, _ spreadsheet: inout Spreadsheet
    ) throws(RequestError) -> JSON {
        let json = request["developerMetadata"] ?? [:]
        guard let key = json["metadataKey"]?.string, !key.isEmpty else {
            throw RequestError("developerMetadata.metadataKey is required.")
        }
        guard let visibility = json["visibility"]?.string, visibility != "DEVELOPER_METADATA_VISIBILITY_UNSPECIFIED"
        else {
            throw RequestError("developerMetadata.visibility is required.")
        }
        let id = json["metadataId"]?.int ?? Identifiers.number()
        guard id > 0 else { throw RequestError("developerMetadata.metadataId must be positive.") }
        guard !spreadsheet.developerMetadata.contains(where: { $0.id == id }) else {
            throw RequestError("Developer metadata with the id \(id) already exists.")
        }
        let metadata = DeveloperMetadata(
            id: id, key: key, value: json["metadataValue"]?.string, visibility: visibility,
            location: try location(json["location"] ?? [:], spreadsheet))
        spreadsheet.developerMetadata.append(metadata)
        try checkLength(beside: metadata, spreadsheet)
        return ["createDeveloperMetadata": ["developerMetadata": metadata.json]]
    }

    @Sendable static func updateDeveloperMetadata(
        _ request: JSON, _ spreadsheet: inout Spreadsheet
    ) throws(RequestError) -> JSON {
        let fields = try BatchUpdate.fields(request, of: "DeveloperMetadata")
        let new = request["developerMetadata"]?.object ?? JSONObject()
        var ids: Set<Int> = []
        for filter in request["dataFilters"]?.array ?? [] {
            ids.formUnion(try DataFilter.metadata(filter, in: spreadsheet).map(\.id))
        }
        var changed: [JSON] = []
        for index in spreadsheet.developerMetadata.indices where ids.contains(spreadsheet.developerMetadata[index].id) {
            var metadata = spreadsheet.developerMetadata[index]
            var merged = metadata.json.object ?? JSONObject()
            fields.merge(new, into: &merged)
            guard let key = merged["metadataKey"]?.string, !key.isEmpty else {
                throw RequestError("developerMetadata.metadataKey is required.")
            }
            metadata.key = key
            metadata.value = merged["metadataValue"]?.string
            metadata.visibility = merged["visibility"]?.string ?? metadata.visibility
            if fields["location"] != nil { metadata.location = try location(merged["location"] ?? [:], spreadsheet) }
            spreadsheet.developerMetadata[index] = metadata
            try checkLength(beside: metadata, spreadsheet)
            changed.append(metadata.json)
        }
        return ["updateDeveloperMetadata": changed.isEmpty ? [:] : ["developerMetadata": .array(changed)]]
    }

    @Sendable static func deleteDeveloperMetadata(
        _ request: JSON, _ spreadsheet: inout Spreadsheet
    ) throws(RequestError) -> JSON {
        let found = try DataFilter.metadata(request["dataFilter"] ?? [:], in: spreadsheet)
        let ids = Set(found.map(\.id))
        spreadsheet.developerMetadata.removeAll { ids.contains($0.id) }
        return [
            "deleteDeveloperMetadata": found.isEmpty ? [:] : ["deletedDeveloperMetadata": .array(found.map(\.json))]
        ]
    }

    /// All metadata of a sheet, or of the spreadsheet itself, must fit into the limit together.
    private static func checkLength(
        beside metadata: DeveloperMetadata, _ spreadsheet: Spreadsheet
    ) throws(RequestError) {
        let length = spreadsheet.developerMetadata.reduce(0) { sum, other in
            other.location.sheetID == metadata.location.sheetID
                ? sum + other.key.utf16.count + (other.value?.utf16.count ?? 0) : sum
        }
        guard length <= greatestLength else {
            throw RequestError("The developer metadata would exceed the limit of \(greatestLength) characters.")
        }
    }

    /// Reads Google's `DeveloperMetadataLocation`.
    static func location(
        _ json: JSON, _ spreadsheet: Spreadsheet
    ) throws(RequestError) -> DeveloperMetadata.Location {
        if json["spreadsheet"]?.bool == true { return .spreadsheet }
        if let range = json["dimensionRange"] {
            let (index, isRows, positions) = try DimensionRequests.span(range, spreadsheet)
            guard positions.count == 1 else {
                throw RequestError("developerMetadata.location.dimensionRange must span a single row or column.")
            }
            let id = spreadsheet.sheets[index].id
            return isRows
                ? .row(sheetID: id, index: positions.lowerBound) : .column(sheetID: id, index: positions.lowerBound)
        }
        guard let id = json["sheetId"]?.int else { throw RequestError("developerMetadata.location is required.") }
        return .sheet(spreadsheet.sheets[try spreadsheet.sheet(id)].id)
    }
}

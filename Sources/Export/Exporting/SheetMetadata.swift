import JSON

/// The requests that leave a note on a sheet or take one away: Google's developer metadata.
enum SheetMetadata {
    /// Leaves a note.
    ///
    /// - Parameters:
    ///   - id: The note's id, which Google refuses where it is taken; nil lets Google choose.
    ///   - column: The column that it is on; nil for the whole sheet.
    static func add(
        id: Int? = nil, key: String, value: String, on sheetID: Int, column: Int? = nil
    ) -> JSON {
        var note = JSONObject()
        note["metadataId"] = id.map { JSON($0) }
        note["metadataKey"] = .string(key)
        note["metadataValue"] = .string(value)
        // Also for a worker with a key of another Cloud project.
        note["visibility"] = "DOCUMENT"
        note["location"] =
            column.map { column in
                [
                    "dimensionRange": [
                        "sheetId": JSON(sheetID), "dimension": "COLUMNS", "startIndex": JSON(column),
                        "endIndex": JSON(column + 1),
                    ]
                ]
            } ?? ["sheetId": JSON(sheetID)]
        return ["createDeveloperMetadata": ["developerMetadata": .object(note)]]
    }

    /// Takes a note away.
    static func delete(_ id: Int) -> JSON {
        ["deleteDeveloperMetadata": ["dataFilter": ["developerMetadataLookup": ["metadataId": JSON(id)]]]]
    }
}

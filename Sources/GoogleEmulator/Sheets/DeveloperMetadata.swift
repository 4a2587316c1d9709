import JSON

/// A note for programs, on a spreadsheet, a sheet, a row or a column.
struct DeveloperMetadata: Sendable {
    /// Where it is attached.
    enum Location: Sendable, Hashable {
        case spreadsheet
        case sheet(Int)
        case row(sheetID: Int, index: Int)
        case column(sheetID: Int, index: Int)

        /// Google's `locationType`.
        var type: String {
            switch self {
            case .spreadsheet: "SPREADSHEET"
            case .sheet: "SHEET"
            case .row: "ROW"
            case .column: "COLUMN"
            }
        }

        /// Whether the other place lies within this one.
        func covers(_ other: Location) -> Bool {
            switch self {
            case .spreadsheet: true
            case .sheet(let id): other.sheetID == id
            default: false
            }
        }

        /// The sheet that takes it along when it goes.
        var sheetID: Int? {
            switch self {
            case .spreadsheet: nil
            case .sheet(let id), .row(let id, _), .column(let id, _): id
            }
        }
    }

    let id: Int
    var key: String
    var value: String?
    /// `DOCUMENT` or `PROJECT`.
    var visibility: String
    var location: Location

    /// Google's `DeveloperMetadata`.
    var json: JSON {
        var object = JSONObject()
        object["metadataId"] = JSON(id)
        object["metadataKey"] = .string(key)
        object["metadataValue"] = value.map(JSON.string)
        object["location"] = locationJSON
        object["visibility"] = .string(visibility)
        return .object(object)
    }

    private var locationJSON: JSON {
        func dimension(_ name: String, _ sheetID: Int, _ index: Int) -> JSON {
            var range = JSONObject()
            if sheetID != 0 { range["sheetId"] = JSON(sheetID) }
            range["dimension"] = .string(name)
            range["startIndex"] = JSON(index)
            range["endIndex"] = JSON(index + 1)
            return .object(range)
        }
        return switch location {
        case .spreadsheet: ["locationType": "SPREADSHEET", "spreadsheet": true]
        case .sheet(let id): ["locationType": "SHEET", "sheetId": JSON(id)]
        case .row(let id, let index): ["locationType": "ROW", "dimensionRange": dimension("ROWS", id, index)]
        case .column(let id, let index): ["locationType": "COLUMN", "dimensionRange": dimension("COLUMNS", id, index)]
        }
    }
}

import HTTPTypes
public import JSON

/// Spreadsheets.
public struct SheetsClient: Sendable {
    private let api: APIClient

    /// Makes a client.
    public init(api: APIClient) { self.api = api }

    /// Whether `updateValues` is worth a call.
    public var takesValuesByGridRange: Bool { api.traits.takesValuesByGridRange }

    /// Changes a spreadsheet by all requests of a batch or by none; one write of the quota.
    ///
    /// - Parameters:
    ///   - spreadsheetID: the spreadsheet.
    ///   - body: the JSON of a BatchUpdateSpreadsheetRequest in UTF-8, `{"requests": […]}`.
    /// - Returns: one reply a request, in their order; `{}` for most kinds.
    public func batchUpdate(_ spreadsheetID: String, body: [UInt8]) async throws(GoogleError) -> [JSON] {
        var request = APIRequest(
            .sheets, .post, "\(APIRequest.sheetsPath(spreadsheetID)):batchUpdate", fields: "replies", body: body)
        // What stands around each cell is six times as long as what it becomes.
        request.mayBePacked = true
        request.answerLimit = .replies
        let answer = try await api.call(request)
        guard answer.object != nil else {
            throw GoogleError(
                .badAnswer, message: "Sheets' answer is \(answer.kind), not an object.", retry: .backoff,
                mayHaveTakenEffect: true)
        }
        return answer["replies"]?.array ?? []
    }

    /// The same, answered with what a fields mask names of the spreadsheet as it is then; it is no read of the quota.
    ///
    /// - Parameters:
    ///   - body: the JSON with `includeSpreadsheetInResponse` and the `responseRanges`.
    ///   - cells: How many cells those have.
    /// - Returns: the spreadsheet, the rows of its cells as text where they are many.
    public func batchUpdate(
        _ spreadsheetID: String, body: [UInt8], showing fields: String, cells: Int
    ) async throws(GoogleError) -> JSON {
        var request = APIRequest(
            .sheets, .post, "\(APIRequest.sheetsPath(spreadsheetID)):batchUpdate",
            fields: "updatedSpreadsheet(\(fields))", body: body)
        request.mayBePacked = true
        request.answerLimit = .cells(cells, valuesEach: 8)
        request.answerLimit.longestTree = Self.longestTree
        return try await api.call(request)["updatedSpreadsheet"] ?? .null
    }

    /// The length in bytes from which rows of cells stay text.
    private static let longestTree = 1 << 16

    /// Reads what a fields mask names of a spreadsheet and one of its sheets, the rows of cells as text where they are many.
    ///
    /// - Parameters:
    ///   - rows: The rows whose cells are read; nil for all.
    ///   - cells: How many cells those have at most.
    public func sheet(
        _ sheetID: Int, of spreadsheetID: String, rows: Range<Int>?, cells: Int, fields: String
    ) async throws(GoogleError) -> JSON {
        var range = JSONObject()
        range["sheetId"] = JSON(sheetID)
        if let rows {
            range["startRowIndex"] = JSON(rows.lowerBound)
            range["endRowIndex"] = JSON(rows.upperBound)
        }
        let question: JSON = ["dataFilters": [["gridRange": .object(range)]]]
        var request = APIRequest(
            .sheets, .post, "\(APIRequest.sheetsPath(spreadsheetID)):getByDataFilter", fields: fields,
            body: question.bytes, isRead: true)
        request.answerLimit = .cells(cells, valuesEach: 8)
        request.answerLimit.longestTree = Self.longestTree
        return try await api.call(request)
    }

    /// Enters values into ranges, all or none; one write of the quota.
    ///
    /// The body goes out as it is: values without anything around them shrink to a third at most, and compressing them takes
    /// longer than all else that is done with them.
    ///
    /// - Parameters:
    ///   - spreadsheetID: the spreadsheet.
    ///   - body: the JSON of a BatchUpdateValuesByDataFilterRequest in UTF-8.
    public func updateValues(_ spreadsheetID: String, body: [UInt8]) async throws(GoogleError) {
        _ = try await api.call(
            APIRequest(
                .sheets, .post, "\(APIRequest.sheetsPath(spreadsheetID))/values:batchUpdateByDataFilter",
                fields: "totalUpdatedRows", body: body))
    }

    /// Reads what a fields mask names of a spreadsheet, such as `sheets.properties(sheetId,title)`.
    public func spreadsheet(_ spreadsheetID: String, fields: String) async throws(GoogleError) -> JSON {
        var request = APIRequest(.sheets, .get, APIRequest.sheetsPath(spreadsheetID), fields: fields)
        request.answerLimit = .sheets
        return try await api.call(request)
    }

    /// Reads what a fields mask names of some rectangles; those of one sheet stand in its `data`, each with where it begins.
    public func spreadsheet(
        _ spreadsheetID: String, in rectangles: [GridRectangle], fields: String
    ) async throws(GoogleError) -> JSON {
        let question: JSON = ["dataFilters": .array(rectangles.map(\.filter))]
        var request = APIRequest(
            .sheets, .post, "\(APIRequest.sheetsPath(spreadsheetID)):getByDataFilter", fields: fields,
            body: question.bytes, isRead: true)
        // A cell with a value, a format and a link has about a dozen values, a rectangle some of its own.
        let cells = rectangles.reduce(0) { $0 + $1.rows.count * $1.columns.count + 1 }
        request.answerLimit = .cells(cells, valuesEach: 20)
        return try await api.call(request)
    }

    /// Reads the values of some ranges, formulas computed and dates as serial numbers.
    ///
    /// - Parameters:
    ///   - ranges: In A1 notation.
    ///   - cells: How many cells the ranges have together.
    /// - Returns: For each range its columns from left to right, or its rows from top to bottom, each a list of values. What
    ///   is empty at the end of a list is left out.
    public func values(
        _ spreadsheetID: String, in ranges: [String], cells: Int, byColumns: Bool = false
    ) async throws(GoogleError) -> [[JSON]] {
        let options = [
            ("majorDimension", byColumns ? "COLUMNS" : "ROWS"), ("valueRenderOption", "UNFORMATTED_VALUE"),
            ("dateTimeRenderOption", "SERIAL_NUMBER"),
        ]
        var request = APIRequest(
            .sheets, .get, "\(APIRequest.sheetsPath(spreadsheetID))/values:batchGet",
            query: ranges.map { ("ranges", $0) } + options, fields: "valueRanges(range,values)")
        // A cell, and a list where a row or column has one.
        request.answerLimit = .cells(cells, valuesEach: 2)
        let answer = try await api.call(request)
        let found = answer["valueRanges"]?.array ?? []
        guard found.count == ranges.count else {
            throw GoogleError(
                .badAnswer, message: "Sheets was asked for \(ranges.count) ranges and told of \(found.count).",
                retry: .backoff)
        }
        return found.map { $0["values"]?.array ?? [] }
    }
}

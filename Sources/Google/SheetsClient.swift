import HTTPTypes
public import JSON

/// Spreadsheets.
public struct SheetsClient: Sendable {
    private let api: APIClient

    /// Makes a client.
    public init(api: APIClient) { self.api = api }

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
        let answer = try await api.call(request)
        guard answer.object != nil else {
            throw GoogleError(
                .badAnswer, message: "Sheets' answer is \(answer.kind), not an object.", retry: .backoff,
                mayHaveTakenEffect: true)
        }
        return answer["replies"]?.array ?? []
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
        try await api.call(APIRequest(.sheets, .get, APIRequest.sheetsPath(spreadsheetID), fields: fields))
    }
}

/// One method of a Google API.
struct APIMethod: Sendable {
    /// Google's name of the method: `sheets.spreadsheets.batchUpdate`.
    let id: String
    let verb: String
    let path: PathTemplate
    /// The body's message type; nil where the method takes none.
    let request: String?
    /// The answer's message type; nil where there is none.
    let response: String?
    /// The OAuth scopes of which the token must have one.
    let scopes: Set<String>
    /// The parameters of the path and the query.
    let parameters: [String: APISchema.Parameter]

    /// Where Google's errors say the body stands in the request message: nowhere, where the body is the whole message.
    var bodyField: String? {
        switch request {
        case "ValueRange": "data"
        case let type? where !type.hasSuffix("Request"): type.prefix(1).lowercased() + type.dropFirst()
        default: nil
        }
    }
}

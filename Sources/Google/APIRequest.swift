public import HTTPTypes

/// One call of Drive or Sheets, without the things that all calls have in common.
public struct APIRequest: Sendable {
    /// Which of the two APIs.
    public enum Service: String, Sendable, Hashable {
        /// Drive, version 3.
        case drive
        /// Sheets, version 4.
        case sheets

        /// Where Google serves it.
        var endpoint: String {
            switch self {
            case .drive: "https://www.googleapis.com"
            case .sheets: "https://sheets.googleapis.com"
            }
        }
    }

    /// The API.
    public var service: Service
    /// The method.
    public var method: HTTPRequest.Method
    /// The path from the root of the host, percent-encoded.
    public var path: String
    /// The query's names and values, not encoded, without `fields`.
    public var query: [(name: String, value: String)]
    /// The fields mask, which names what of the answer is needed.
    public var fields: String
    /// The body, JSON in UTF-8 unless `contentType` says otherwise; nil for none.
    public var body: [UInt8]?
    /// What the body is.
    public var contentType = "application/json; charset=utf-8"
    /// Whether the call changes nothing: each GET, and reads whose question stands in a body.
    public var isRead: Bool
    /// How long the call goes on once it is on the wire and its task is cancelled; for what must not be done unheard.
    var outlivesCancel = Duration.zero
    /// How much of an answer is taken; the call fails with `answerTooLarge` where there is more.
    public var answerLimit = AnswerLimit.small
    /// Whether a long body is worth the time that compressing it takes.
    public var mayBePacked = false

    /// Makes a call; `isRead` is what the method says where it is nil.
    public init(
        _ service: Service, _ method: HTTPRequest.Method, _ path: String, query: [(name: String, value: String)] = [],
        fields: String, body: [UInt8]? = nil, isRead: Bool? = nil
    ) {
        self.service = service
        self.method = method
        self.path = path
        self.query = query
        self.fields = fields
        self.body = body
        self.isRead = isRead ?? (method == .get)
    }

    /// The path of a file in Drive.
    public static func drivePath(_ id: String) -> String { "/drive/v3/files/\(PercentEncoding.encode(id))" }

    /// The path of a spreadsheet in Sheets.
    public static func sheetsPath(_ id: String) -> String { "/v4/spreadsheets/\(PercentEncoding.encode(id))" }
}

import JSON

/// What the body of an error answer says, in either of the shapes that Google's APIs use.
///
/// Drive's older one has a list `errors` with a `reason` each; Sheets' has a `status` and a list of `details`. Some
/// answers have both.
struct ErrorBody {
    /// Google's longest errors name each of some hundred fields.
    private static let mostValues = 10_000

    /// Whether it is a JSON object with an `error` object: everything else did not come from the API itself.
    let isFromAPI: Bool
    /// All reasons, the most special first.
    let reasons: [String]
    /// The canonical status such as `RESOURCE_EXHAUSTED`.
    let status: String?
    /// Google's own words.
    let message: String?
    let quota: QuotaLimit?
    /// A wait that Google asks for, in seconds.
    let retryDelay: Double?
    /// Whether Google took the caller for a robot, which it says in HTML.
    let isBlocked: Bool

    init(_ bytes: [UInt8]) {
        let error = (try? JSON(parsing: bytes, mostValues: Self.mostValues))?["error"]
        isFromAPI = error?.object != nil
        let details = error?["details"]?.array ?? []
        let info = details.first { $0["@type"]?.string?.hasSuffix("google.rpc.ErrorInfo") == true }
        let delay = details.first { $0["@type"]?.string?.hasSuffix("google.rpc.RetryInfo") == true }
        reasons =
            [info?["reason"]?.string].compactMap(\.self)
            + (error?["errors"]?.array ?? []).compactMap { $0["reason"]?.string }
        status = error?["status"]?.string
        message = (error?["message"]?.string).map { GoogleWords.tidied($0) }
        quota = QuotaLimit(info?["metadata"])
        retryDelay = delay?["retryDelay"]?.string.flatMap { Double($0.hasSuffix("s") ? $0.dropLast() : $0[...]) }
        isBlocked = !isFromAPI && String(decoding: bytes, as: UTF8.self).contains("automated queries")
    }
}

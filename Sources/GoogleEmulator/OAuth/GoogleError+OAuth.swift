extension GoogleError {
    /// What an endpoint of OAuth answers instead of a token: a status, OAuth's error and its description.
    static func oauth(_ code: Int, _ error: String, _ description: String) -> GoogleError {
        GoogleError(code: code, message: description, reason: error)
    }
}

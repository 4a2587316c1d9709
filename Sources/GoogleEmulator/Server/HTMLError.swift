/// The pages that Google's front end answers with where no API does.
enum HTMLError {
    /// The page for a status, as wide as Google's but without its robot.
    static func page(_ status: Int, _ title: String, _ sentence: String) -> EmulatorResponse {
        .html(
            """
            <!DOCTYPE html>
            <html lang=en>
              <meta charset=utf-8>
              <title>Error \(status) (\(title))!!1</title>
              <p><b>\(status).</b> <ins>That\u{2019}s an error.</ins>
              <p>\(sentence)  <ins>That\u{2019}s all we know.</ins>

            """, status: status)
    }

    /// No API lives at this path.
    static func notFound(_ path: String) -> EmulatorResponse {
        page(404, "Not Found", "The requested URL <code>\(HTML.escape(path))</code> was not found on this server.")
    }

    /// What a fault of the kind `html` answers.
    static func fault(_ status: Int) -> EmulatorResponse {
        switch status {
        case 404: notFound("/")
        case 429:
            page(
                429, "Too Many Requests",
                "We're sorry... but your computer or network may be sending automated queries.")
        case 408: page(408, "Request Timeout", "Your client has taken too long to issue its request.")
        default:
            page(
                status, "Server Error",
                "The server encountered a temporary error and could not complete your request. "
                    + "Please try again in 30 seconds.")
        }
    }
}

/// What an HTTP request is answered with.
struct HTTPAnswer: Sendable {
    var status: Int
    var type = "text/plain; charset=utf-8"
    var body: String
}

/// The header `Content-Range` of a chunk: `bytes 0-99/200`, `bytes 0-99/*` or, to ask how far it is, `bytes */200`.
struct ContentRange: Sendable, Equatable {
    /// The bytes that the chunk holds; nil where it only asks.
    let bytes: ClosedRange<Int>?
    /// How many there are in all; nil where the client does not know yet.
    let total: Int?

    init?(_ text: String) {
        let words = text.split(separator: " ")
        guard words.count == 2, words[0].lowercased() == "bytes" else { return nil }
        let halves = words[1].split(separator: "/")
        guard halves.count == 2, let total = halves[1] == "*" ? .some(nil) : Int(halves[1]).map(Optional.some) else {
            return nil
        }
        self.total = total
        if halves[0] == "*" {
            bytes = nil
            return
        }
        let bounds = halves[0].split(separator: "-").map { Int($0) }
        guard bounds.count == 2, let first = bounds[0], let last = bounds[1], first <= last else { return nil }
        bytes = first...last
    }
}

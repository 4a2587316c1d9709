import JSON

/// The requests to Google's APIs that the emulator has seen.
public struct Journal: Sendable {
    /// One request.
    public struct Entry: Sendable {
        /// When it came, in milliseconds since 1970.
        public let time: Int
        /// The API.
        public let api: GoogleAPI
        /// Google's name of the method, `drive.files.create`; nil where the path is none of the API's.
        public let method: String?
        /// The address of who called; nil without a good token.
        public let account: String?
        /// The verb.
        public let verb: String
        /// The path, without the query.
        public let path: String
        /// The status of the answer; nil where none was sent.
        public let status: Int?
        /// The size of the request's body in bytes.
        public let bodyBytes: Int
        /// Whether a fault struck it.
        public let isFault: Bool
    }

    /// How many entries are kept; older ones are forgotten, though still counted.
    public static let capacity = 10_000

    /// The latest requests, oldest first.
    public private(set) var entries: [Entry] = []
    /// How many requests there were, by the method's name; those without a method by the API's.
    public private(set) var counts: [String: Int] = [:]
    /// How many requests there were.
    public var total: Int { counts.values.reduce(0, +) }

    mutating func record(_ entry: Entry) {
        counts[entry.method ?? entry.api.rawValue, default: 0] += 1
        // Entries go in halves, so that forgetting costs little a request.
        if entries.count >= Self.capacity { entries.removeFirst(Self.capacity / 2) }
        entries.append(entry)
    }

    var json: JSON {
        var numbers = JSONObject()
        for (name, count) in counts.sorted(by: { $0.key < $1.key }) { numbers[name] = JSON(count) }
        return [
            "total": JSON(total), "counts": .object(numbers),
            "requests": .array(
                entries.map { entry in
                    [
                        "time": .string(Timestamp(milliseconds: entry.time).rfc3339),
                        "account": JSON(entry.account), "api": .string(entry.api.rawValue),
                        "api_method": JSON(entry.method),
                        "method": .string(entry.verb), "path": .string(entry.path),
                        "status": entry.status.map { JSON($0) } ?? JSON.null, "body_bytes": JSON(entry.bodyBytes),
                        "fault": JSON(entry.isFault),
                    ]
                }),
        ]
    }
}

/// Cuts what a client says into requests.
struct RequestFraming {
    /// A piece of what the client says.
    enum Unit {
        /// A request that will be answered, with a name for people and the label that a connection begins with.
        case request(String, label: String?, [UInt8])
        /// Something without an answer.
        case aside([UInt8])
        /// A wish for encryption, with the answer that the relay gives itself.
        case refused([UInt8])
    }

    private let wire: Relay.Wire
    private var bytes: [UInt8] = []
    private var hasBegun = false

    init(_ wire: Relay.Wire) { self.wire = wire }

    mutating func add(_ more: [UInt8]) { bytes += more }

    mutating func next() -> Unit? {
        switch wire {
        case .http: nextOfHTTP()
        case .postgres: hasBegun ? nextOfPostgres() : nextOfBeginning()
        }
    }

    private mutating func nextOfHTTP() -> Unit? {
        guard let length = HTTPMessage.length(in: bytes) else { return nil }
        let message = bytes.take(length)
        let words = String(decoding: message.prefix { $0 != 13 }, as: UTF8.self).split(separator: " ")
        guard words.count == 3 else { return .aside(message) }
        return .request("\(words[0]) \(Self.name(ofPath: words[1]))", label: "http", message)
    }

    /// A path without its query, and with a star for each id.
    private static func name(ofPath path: Substring) -> String {
        "/"
            + path.prefix { $0 != "?" }.split(separator: "/").map { part in
                let name = part.prefix { $0 != ":" }
                return name.count > 20 ? "*" + part.dropFirst(name.count) : String(part)
            }.joined(separator: "/")
    }

    /// A connection begins with messages that have no type.
    private mutating func nextOfBeginning() -> Unit? {
        guard let length = bytes.length(at: 0), bytes.count >= length, let code = bytes.length(at: 4) else {
            return nil
        }
        let message = bytes.take(length)
        switch code {
        case 80_877_103, 80_877_104: return .refused([UInt8(ascii: "N")])
        case 80_877_102: return .aside(message)
        default:
            hasBegun = true
            let words = message.dropFirst(8).split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            let label = words.firstIndex(of: "application_name").flatMap { words.dropFirst($0 + 1).first } ?? ""
            return .request("connect \(label)", label: label, message)
        }
    }

    /// A request ends with Sync or is a Query alone.
    private mutating func nextOfPostgres() -> Unit? {
        var end = 0
        var text: String?
        while end < bytes.count, let length = bytes.length(at: end + 1), bytes.count >= end + 1 + length {
            let type = Character(UnicodeScalar(bytes[end]))
            let body = bytes[(end + 5)..<(end + 1 + length)]
            end += 1 + length
            switch type {
            // The name of the prepared statement, which is empty, ends with a zero.
            case "P": text = Self.firstWords(body.drop { $0 != 0 }.dropFirst())
            case "Q": return .request(Self.firstWords(body), label: nil, bytes.take(end))
            case "S": return .request(text ?? "sync", label: nil, bytes.take(end))
            case "X": return .aside(bytes.take(end))
            default: break
            }
        }
        return nil
    }

    /// A statement up to its parameters, on one line.
    private static func firstWords(_ sql: ArraySlice<UInt8>) -> String {
        String(decoding: sql.prefix { $0 != 0 }, as: UTF8.self).prefix { $0 != "(" }
            .split(whereSeparator: \.isWhitespace).prefix(6).joined(separator: " ")
    }
}

/// Cuts what a server says into answers.
struct AnswerFraming {
    private let wire: Relay.Wire
    private var bytes: [UInt8] = []
    /// The complete messages of an answer that is not complete.
    private var end = 0

    init(_ wire: Relay.Wire) { self.wire = wire }

    mutating func add(_ more: [UInt8]) { bytes += more }

    /// The next whole answer, or something that is none, such as a notification.
    mutating func next(isAwaited: Bool) -> (bytes: [UInt8], isComplete: Bool)? {
        if wire == .http {
            return HTTPMessage.length(in: bytes).map { (bytes.take($0), true) }
        }
        while end < bytes.count, let length = bytes.length(at: end + 1), bytes.count >= end + 1 + length {
            let type = bytes[end]
            end += 1 + length
            if isAwaited, type != UInt8(ascii: "Z") { continue }
            defer { end = 0 }
            return (bytes.take(end), isAwaited)
        }
        return nil
    }
}

/// Where a message of HTTP/1.1 ends.
private enum HTTPMessage {
    /// The length of the message at the beginning of the bytes, once it is complete.
    static func length(in bytes: [UInt8]) -> Int? {
        guard let head = end(of: [13, 10, 13, 10], in: bytes[...]) else { return nil }
        let lines = String(decoding: bytes[..<head], as: UTF8.self).split(separator: "\r\n").map { $0.lowercased() }
        func field(_ name: String) -> Substring? {
            lines.first { $0.hasPrefix("\(name):") }?.dropFirst(name.count + 1).drop { $0 == " " }
        }
        if field("transfer-encoding") == "chunked" { return endOfChunks(bytes, from: head) }
        let length = head + (field("content-length").flatMap { Int($0) } ?? 0)
        return bytes.count >= length ? length : nil
    }

    private static func endOfChunks(_ bytes: [UInt8], from start: Int) -> Int? {
        var place = start
        while let line = end(of: [13, 10], in: bytes[place...]) {
            guard let size = Int(String(decoding: bytes[place..<(line - 2)], as: UTF8.self), radix: 16) else {
                return nil
            }
            place = line + size + 2
            guard bytes.count >= place else { return nil }
            if size == 0 { return place }
        }
        return nil
    }

    /// The index behind the first place where a pattern stands.
    private static func end(of pattern: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
        bytes.firstRange(of: pattern)?.upperBound
    }
}

extension [UInt8] {
    /// A number of four bytes.
    fileprivate func length(at place: Int) -> Int? {
        guard count >= place + 4 else { return nil }
        return self[place..<(place + 4)].reduce(0) { $0 << 8 | Int($1) }
    }

    /// Takes bytes off the beginning.
    fileprivate mutating func take(_ count: Int) -> [UInt8] {
        defer { removeFirst(count) }
        return Array(prefix(count))
    }
}

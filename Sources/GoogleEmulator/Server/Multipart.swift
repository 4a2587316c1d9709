import HTTPTypes

/// Bodies of several parts, `multipart/related` and `multipart/mixed` (RFC 2046).
enum Multipart {
    /// One part with its headers.
    struct Part: Sendable {
        let headers: HTTPFields
        let body: ArraySlice<UInt8>
    }

    /// The parts of a body; nil where the type names no boundary or the body does not keep to it.
    static func parts(_ body: [UInt8], contentType: String?) -> [Part]? {
        guard let boundary = boundary(contentType) else { return nil }
        let delimiter = Array("--\(boundary)".utf8)
        var parts: [Part] = []
        guard var start = next(delimiter, in: body, from: 0) else { return nil }
        while true {
            var content = start + delimiter.count
            if body[content...].starts(with: [0x2D, 0x2D]) { return parts }
            // What stands between the boundary and the end of its line is padding.
            guard let lineEnd = body[content...].firstIndex(of: 0x0A),
                let end = next(delimiter, in: body, from: lineEnd + 1)
            else { return nil }
            content = lineEnd + 1
            // The line break before a boundary belongs to the boundary.
            var last = max(content, end - 1)
            if last > content, body[last - 1] == 0x0D { last -= 1 }
            parts.append(part(body[content..<last]))
            start = end
        }
    }

    /// Reads lines of headers up to an empty one, and what follows it.
    static func part(_ bytes: ArraySlice<UInt8>) -> Part {
        var headers = HTTPFields()
        var rest = bytes
        while let lineEnd = rest.firstIndex(of: 0x0A) {
            let line = String(decoding: rest[rest.startIndex..<lineEnd], as: UTF8.self)
            rest = rest[(lineEnd + 1)...]
            let text = line.last == "\r" ? line.dropLast() : line[...]
            if text.isEmpty || text == "\r\n" { break }
            let halves = text.split(separator: ":", maxSplits: 1)
            if halves.count == 2, let name = HTTPField.Name(String(halves[0])) {
                headers[name] = String(halves[1].drop { $0 == " " })
            }
        }
        return Part(headers: headers, body: rest)
    }

    private static func boundary(_ contentType: String?) -> String? {
        for parameter in contentType?.split(separator: ";").dropFirst() ?? [] {
            let halves = parameter.split(separator: "=", maxSplits: 1)
            guard halves.count == 2, halves[0].drop(while: { $0 == " " }).lowercased() == "boundary" else { continue }
            let value = halves[1].filter { $0 != "\"" && $0 != " " }
            return value.isEmpty ? nil : value
        }
        return nil
    }

    /// Where the delimiter next begins a line.
    private static func next(_ delimiter: [UInt8], in body: [UInt8], from start: Int) -> Int? {
        var position = start
        while position <= body.count - delimiter.count {
            if body[position...].starts(with: delimiter), position == 0 || body[position - 1] == 0x0A {
                return position
            }
            guard let lineEnd = body[position...].firstIndex(of: 0x0A) else { return nil }
            position = lineEnd + 1
        }
        return nil
    }
}

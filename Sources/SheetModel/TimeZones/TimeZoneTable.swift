/// The content of a compiled time zone file (TZif, RFC 9636): past changes, and the rule for the years behind them.
struct TimeZoneTable: Sendable {
    /// The instants at which the offset changes, ascending, in seconds since 1970-01-01 00:00 UTC.
    private let changes: [Int64]
    /// The offset in seconds east of UTC from each change on.
    private let offsets: [Int]
    /// The offset before the first change.
    private let firstOffset: Int
    /// What holds from the last change on.
    private let rule: PosixTimeZone?

    init(fixedOffset: Int) {
        changes = []
        offsets = []
        firstOffset = fixedOffset
        rule = nil
    }

    /// Reads a file of version 2 or later; nil for what is none.
    init?(parsing bytes: [UInt8]) {
        var reader = Reader(bytes: bytes)
        guard let old = reader.header(), old.version >= UInt8(ascii: "2"), reader.skip(old.length(ofTime: 4)),
            let header = reader.header(), header.types > 0
        else { return nil }
        var changes: [Int64] = []
        for _ in 0..<header.times {
            guard let high = reader.integer(), let low = reader.integer() else { return nil }
            changes.append(Int64(high) << 32 | Int64(UInt32(bitPattern: low)))
        }
        guard let indices = reader.take(header.times) else { return nil }
        var types: [Int] = []
        for _ in 0..<header.types {
            guard let offset = reader.integer(), reader.skip(2), abs(Int(offset)) <= 26 * 3600 else { return nil }
            types.append(Int(offset))
        }
        guard indices.allSatisfy({ Int($0) < types.count }), zip(changes, changes.dropFirst()).allSatisfy(<),
            reader.skip(header.characters + header.leaps * 12 + header.standards + header.universals),
            let footer = reader.footer()
        else { return nil }
        if footer.isEmpty {
            rule = nil
        } else {
            guard let parsed = PosixTimeZone(footer) else { return nil }
            rule = parsed
        }
        self.changes = changes
        offsets = indices.map { types[Int($0)] }
        firstOffset = types[0]
    }

    /// The seconds east of UTC at an instant.
    func offset(at instant: Int64) -> Int {
        let next = changes.sortedIndex(behind: { $0 <= instant })
        if next == changes.count, let rule { return rule.offset(at: instant) }
        return next == 0 ? firstOffset : offsets[next - 1]
    }

    private struct Header {
        let version: UInt8
        let universals, standards, leaps, times, types, characters: Int

        /// The bytes of the block behind the header, whose instants have so many bytes each.
        func length(ofTime size: Int) -> Int {
            times * (size + 1) + types * 6 + characters + leaps * (size + 4) + standards + universals
        }
    }

    private struct Reader {
        let bytes: [UInt8]
        var position = 0

        mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
            guard count >= 0, count <= bytes.count - position else { return nil }
            defer { position += count }
            return bytes[position..<position + count]
        }

        mutating func skip(_ count: Int) -> Bool { take(count) != nil }

        mutating func integer() -> Int32? {
            take(4).map { Int32(bitPattern: $0.reduce(0) { $0 << 8 | UInt32($1) }) }
        }

        mutating func header() -> Header? {
            guard take(4).map({ $0.elementsEqual("TZif".utf8) }) == true, let version = take(1)?.first, skip(15) else {
                return nil
            }
            var counts: [Int] = []
            for _ in 0..<6 {
                guard let count = integer(), (0...1_000_000).contains(count) else { return nil }
                counts.append(Int(count))
            }
            return Header(
                version: version, universals: counts[0], standards: counts[1], leaps: counts[2], times: counts[3],
                types: counts[4], characters: counts[5])
        }

        /// The text between the two line feeds at the end.
        mutating func footer() -> String? {
            guard take(1)?.first == 0x0A, bytes.last == 0x0A, position < bytes.count else { return nil }
            return String(decoding: bytes[position..<bytes.count - 1], as: UTF8.self)
        }
    }
}

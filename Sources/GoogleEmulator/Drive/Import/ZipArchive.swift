/// The members of a ZIP file, unpacked when they are asked for.
struct ZipArchive: Sendable {
    private struct Member {
        let method: Int
        let packedSize: Int
        let headerStart: Int
    }

    private static let greatestSize = 512 << 20

    private let bytes: [UInt8]
    private var members: [String: Member] = [:]

    /// Reads the directory at the end of the file; nil where there is none or it is damaged.
    init?(_ bytes: [UInt8]) {
        self.bytes = bytes
        let earliest = max(0, bytes.count - 65_557)
        guard bytes.count >= 22,
            let end = stride(from: bytes.count - 22, through: earliest, by: -1).first(where: {
                bytes[$0...].starts(with: [0x50, 0x4B, 0x05, 0x06])
            }), let count = number(end + 10, 2), var position = number(end + 16, 4)
        else { return nil }
        for _ in 0..<count {
            guard position + 46 <= bytes.count, bytes[position...].starts(with: [0x50, 0x4B, 0x01, 0x02]),
                let method = number(position + 10, 2), let size = number(position + 20, 4),
                let nameLength = number(position + 28, 2), let extraLength = number(position + 30, 2),
                let commentLength = number(position + 32, 2), let start = number(position + 42, 4),
                position + 46 + nameLength <= bytes.count
            else { return nil }
            let name = String(decoding: bytes[position + 46..<position + 46 + nameLength], as: UTF8.self)
            members[name] = Member(method: method, packedSize: size, headerStart: start)
            position += 46 + nameLength + extraLength + commentLength
        }
    }

    /// The content of a member; nil where there is no such member or it is damaged.
    subscript(name: String) -> [UInt8]? {
        guard let member = members[name], let nameLength = number(member.headerStart + 26, 2),
            let extraLength = number(member.headerStart + 28, 2)
        else { return nil }
        let start = member.headerStart + 30 + nameLength + extraLength
        guard start + member.packedSize <= bytes.count else { return nil }
        let packed = bytes[start..<start + member.packedSize]
        return switch member.method {
        case 0: Array(packed)
        case 8: Zlib.inflate(packed, .raw, greatestSize: Self.greatestSize)
        default: nil
        }
    }

    /// A number of so many bytes, the lowest first.
    private func number(_ position: Int, _ count: Int) -> Int? {
        guard position >= 0, position + count <= bytes.count else { return nil }
        return (0..<count).reduce(0) { $0 | Int(bytes[position + $1]) << (8 * $1) }
    }
}

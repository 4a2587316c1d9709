/// One entry of the journal in its native form: fields with values, which may hold anything.
public struct JournalEntry: Sendable {
    /// A field's longest value in bytes; with all fields an entry must fit into one datagram.
    private static let longestValue = 48 << 10

    /// The entry's bytes as the journal's socket takes them.
    public private(set) var bytes: [UInt8] = []

    /// Makes an entry.
    ///
    /// - Parameters:
    ///   - message: The text that `journalctl` shows.
    ///   - priority: From 0 (the system is unusable) to 7 (debug).
    public init(_ message: String, priority: Int) {
        add("MESSAGE", message)
        add("PRIORITY", "\(priority)")
    }

    /// Adds a field; a name that the journal would refuse is spelled in a way it takes.
    ///
    /// A name consists of capital letters, digits and underscores and begins with a letter, at most 64 bytes.
    public mutating func add(_ name: String, _ value: String) {
        let spelled = name.utf8.map { byte -> UInt8 in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - 32
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): byte
            default: UInt8(ascii: "_")
            }
        }
        let name = spelled.drop { !(UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }.prefix(64)
        guard !name.isEmpty else { return }
        let value = value.utf8.prefix(Self.longestValue)
        bytes += name
        if value.contains(UInt8(ascii: "\n")) {
            // A value with line breaks comes with its length, eight bytes, the lowest first.
            bytes.append(UInt8(ascii: "\n"))
            for shift in stride(from: 0, to: 64, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: value.count >> shift))
            }
        } else {
            bytes.append(UInt8(ascii: "="))
        }
        bytes += value
        bytes.append(UInt8(ascii: "\n"))
    }
}

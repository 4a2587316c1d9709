/// Tells whether rows are the same as those of an earlier attempt: FNV-1a over their lines, the same in every process.
public struct RowDigest: Sendable, Hashable, CustomStringConvertible {
    private var hash: UInt64 = 0xcbf2_9ce4_8422_2325

    /// The digest of no rows.
    public init() {}

    /// Takes one more row.
    mutating func add(_ line: ArraySlice<UInt8>) {
        for byte in line { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        // No line has this byte in it.
        hash = (hash ^ 0x0A) &* 0x100_0000_01b3
    }

    /// The digest in hexadecimal.
    public var description: String { String(hash, radix: 16) }
}

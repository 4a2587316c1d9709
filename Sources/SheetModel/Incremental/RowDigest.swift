import Arithmetic

/// Tells whether rows are the same as those of an earlier attempt: FNV-1a over their lines, the same in every process.
public struct RowDigest: Sendable, Hashable, CustomStringConvertible {
    private static let separator: [UInt8] = [0x0A]

    private var hash = FNV1a()

    /// The digest of no rows.
    public init() {}

    /// Takes one more row.
    mutating func add(_ line: ArraySlice<UInt8>) {
        hash.add(line.span)
        // No line has this byte in it.
        hash.add(Self.separator.span)
    }

    /// The digest in hexadecimal.
    public var description: String { String(hash.value, radix: 16) }
}

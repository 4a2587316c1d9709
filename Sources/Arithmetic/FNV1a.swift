/// A hash of bytes that is the same in every process and every release: FNV-1a of 64 bits.
///
/// It hides nothing: anybody can make two texts with one hash.
public struct FNV1a: Sendable, Hashable {
    /// The hash of the bytes so far.
    public private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    /// Makes the hash of no bytes.
    public init() {}

    /// Takes more bytes.
    public mutating func add(_ bytes: Span<UInt8>) {
        for index in bytes.indices { value = (value ^ UInt64(bytes[index])) &* 0x100_0000_01b3 }
    }
}

/// A hash of bytes of 128 bits that is the same in every process and every release: FNV-1a.
///
/// It hides nothing, and two of some hundred thousand texts hardly ever have the same one.
public struct Digest128: Sendable, Hashable {
    /// The first and the last 64 bits.
    public private(set) var (high, low): (UInt64, UInt64) = (0x6c62_272e_07bb_0142, 0x62b8_2175_6295_c58d)

    /// Makes the hash of no bytes.
    public init() {}

    /// Takes the two halves.
    public init(high: UInt64, low: UInt64) { (self.high, self.low) = (high, low) }

    /// What stands for no value at all.
    public static let none = Digest128(high: 0, low: 0)

    /// Takes one more byte.
    mutating func add(_ byte: UInt8) {
        // The prime is 2^88 + 0x13B.
        let mixed = low ^ UInt64(byte)
        let product = mixed.multipliedFullWidth(by: 0x13B)
        high = high &* 0x13B &+ product.high &+ mixed << 24
        low = product.low
    }

    /// Takes the bytes of a number, the lowest first.
    mutating func add(_ number: UInt64) {
        for shift in stride(from: 0, to: 64, by: 8) { add(UInt8(truncatingIfNeeded: number >> UInt64(shift))) }
    }

    /// The sum of both, which does not depend on their order.
    static func &+ (one: Digest128, other: Digest128) -> Digest128 {
        let (low, carries) = one.low.addingReportingOverflow(other.low)
        return Digest128(high: one.high &+ other.high &+ (carries ? 1 : 0), low: low)
    }
}

extension Digest128: Comparable {
    /// Orders by the first half, then by the second.
    public static func < (one: Digest128, other: Digest128) -> Bool { (one.high, one.low) < (other.high, other.low) }
}

extension Digest128: CustomStringConvertible {
    /// 32 hexadecimal digits.
    public var description: String { Self.hexadecimal(high) + Self.hexadecimal(low) }

    private static func hexadecimal(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

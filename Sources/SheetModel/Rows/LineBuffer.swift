/// Bytes of compact JSON that grow at their end, for a writer that must not make a value of each cell.
struct LineBuffer: Sendable {
    private var storage: [UInt8]
    private(set) var count = 0

    init(capacity: Int) { storage = [UInt8](repeating: 0, count: capacity) }

    /// What has been written.
    var bytes: ArraySlice<UInt8> { storage[..<count] }

    mutating func removeAll() { count = 0 }

    mutating func append(_ byte: UInt8) {
        reserve(1)
        storage[count] = byte
        count += 1
    }

    /// Writes bytes as they are.
    mutating func append(_ text: Span<UInt8>) {
        unsafe text.withUnsafeBytes { bytes in unsafe copy(bytes) }
    }

    /// Writes a word as it is; inlined, because a word of known length is no call but a few moves.
    @inline(__always)
    mutating func append(_ word: StaticString) {
        unsafe copy(UnsafeRawBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
    }

    @inline(__always)
    private mutating func copy(_ bytes: UnsafeRawBufferPointer) {
        reserve(bytes.count)
        let start = count
        unsafe storage.withUnsafeMutableBytes { room in
            unsafe UnsafeMutableRawBufferPointer(rebasing: room[start...]).copyMemory(from: bytes)
        }
        count = start + bytes.count
    }

    /// Writes UTF-8 as a JSON string.
    mutating func appendString(_ text: Span<UInt8>) {
        // An escape has six bytes at most.
        reserve(text.count * 6 + 2)
        var end = count
        var out = storage.mutableSpan
        out[end] = UInt8(ascii: "\"")
        end += 1
        for index in text.indices {
            let byte = text[index]
            if byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
                out[end] = byte
                end += 1
                continue
            }
            out[end] = UInt8(ascii: "\\")
            if byte >= 0x20 {
                out[end + 1] = byte
                end += 2
                continue
            }
            let escape = Self.shortEscape(byte)
            if escape != 0 {
                out[end + 1] = escape
                end += 2
                continue
            }
            out[end + 1] = UInt8(ascii: "u")
            out[end + 2] = UInt8(ascii: "0")
            out[end + 3] = UInt8(ascii: "0")
            out[end + 4] = UInt8(ascii: "0") + byte >> 4
            out[end + 5] = Self.hexadecimal(byte & 15)
            end += 6
        }
        out[end] = UInt8(ascii: "\"")
        count = end + 1
    }

    /// Writes a whole number.
    mutating func append(integer number: Int) {
        reserve(20)
        if number < 0 { append(UInt8(ascii: "-")) }
        appendDigits(number.magnitude, atLeast: 1)
    }

    /// Writes a double with as few digits as tell it from its neighbours.
    mutating func append(double number: Double) {
        let whole = number.rounded(.towardZero)
        // From 2^13 on neighbours differ by more than 1.8e-12, so twelve digits behind the point tell them apart.
        guard whole >= 8192, whole < 0x1p31 else {
            if number == whole, number.magnitude < 0x1p53 { return append(integer: Int(number)) }
            return append(number.description.utf8Span.span)
        }
        append(integer: Int(whole))
        var fraction = UInt(((number - whole) * 1e12).rounded())
        guard fraction > 0 else { return }
        var digits = 12
        while fraction % 10 == 0 {
            fraction /= 10
            digits -= 1
        }
        append(UInt8(ascii: "."))
        appendDigits(fraction, atLeast: digits)
    }

    private mutating func appendDigits(_ number: UInt, atLeast least: Int) {
        var length = 1
        var rest = number / 10
        while rest > 0 {
            rest /= 10
            length += 1
        }
        length = max(length, least)
        reserve(length)
        let start = count
        count += length
        var place = count
        rest = number
        var out = storage.mutableSpan
        while place > start {
            place -= 1
            out[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
    }

    private mutating func reserve(_ more: Int) {
        let needed = count + more
        if needed > storage.count { grow(to: needed) }
    }

    private mutating func grow(to needed: Int) {
        storage.append(contentsOf: repeatElement(0, count: max(storage.count, needed - storage.count)))
    }

    private static func shortEscape(_ byte: UInt8) -> UInt8 {
        switch byte {
        case 0x0A: UInt8(ascii: "n")
        case 0x0D: UInt8(ascii: "r")
        case 0x09: UInt8(ascii: "t")
        default: 0
        }
    }

    private static func hexadecimal(_ digit: UInt8) -> UInt8 {
        digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
    }
}

import CZlib

/// Packs and unpacks by zlib's DEFLATE.
enum Zlib {
    enum Container {
        /// RFC 1952, as HTTP's `gzip` has it.
        case gzip
        /// The bare stream of RFC 1951, as ZIP files have it.
        case raw

        fileprivate var windowBits: Int32 { self == .gzip ? 15 + 16 : -15 }
    }

    private static let chunkSize = 1 << 16

    /// Unpacks; nil where the bytes are damaged, end too early or become more than allowed.
    static func inflate(_ packed: ArraySlice<UInt8>, _ container: Container, greatestSize: Int) -> [UInt8]? {
        var stream = unsafe z_stream()
        let size = Int32(unsafe MemoryLayout<z_stream>.size)
        guard unsafe inflateInit2_(&stream, container.windowBits, zlibVersion(), size) == Z_OK else { return nil }
        defer { unsafe inflateEnd(&stream) }
        var output: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: chunkSize)
        let isWhole = unsafe packed.withUnsafeBufferPointer { source in
            unsafe stream.next_in = source.baseAddress
            unsafe stream.avail_in = UInt32(source.count)
            while true {
                let status = unsafe chunk.withUnsafeMutableBufferPointer { target in
                    unsafe stream.next_out = target.baseAddress
                    unsafe stream.avail_out = UInt32(target.count)
                    return unsafe CZlib.inflate(&stream, Z_NO_FLUSH)
                }
                output += chunk.prefix(chunkSize - Int(unsafe stream.avail_out))
                if status == Z_STREAM_END { return output.count <= greatestSize }
                guard status == Z_OK, output.count <= greatestSize else { return false }
            }
        }
        return isWhole ? output : nil
    }

    /// Packs in the gzip format, for speed rather than size; nil where zlib has no memory.
    static func gzip(_ bytes: [UInt8]) -> [UInt8]? {
        var stream = unsafe z_stream()
        let size = Int32(unsafe MemoryLayout<z_stream>.size)
        guard
            unsafe deflateInit2_(
                &stream, 1, Z_DEFLATED, Container.gzip.windowBits, 8, Z_DEFAULT_STRATEGY, zlibVersion(), size) == Z_OK
        else { return nil }
        defer { unsafe deflateEnd(&stream) }
        var output = [UInt8](repeating: 0, count: Int(unsafe deflateBound(&stream, UInt(bytes.count))))
        let status = unsafe bytes.withUnsafeBufferPointer { source in
            unsafe output.withUnsafeMutableBufferPointer { target in
                unsafe stream.next_in = source.baseAddress
                unsafe stream.avail_in = UInt32(source.count)
                unsafe stream.next_out = target.baseAddress
                unsafe stream.avail_out = UInt32(target.count)
                return unsafe deflate(&stream, Z_FINISH)
            }
        }
        guard status == Z_STREAM_END else { return nil }
        output.removeLast(Int(unsafe stream.avail_out))
        return output
    }
}

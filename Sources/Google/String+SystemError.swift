import Glibc

extension String {
    /// The system's words for an error number.
    init(systemError code: Int32) {
        var buffer = [CChar](repeating: 0, count: 256)
        guard unsafe strerror_r(code, &buffer, buffer.count) == 0 else {
            self = "error \(code)"
            return
        }
        self = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

import Glibc

/// A file of the system's time zone database: the only thing that this module reads from disk.
enum ZoneFile {
    static let directory = "/usr/share/zoneinfo"

    enum Content {
        case bytes([UInt8])
        case missing
        case noDatabase
    }

    /// Reads the file of a zone, whose name must have been checked.
    static func read(_ name: String) -> Content {
        let descriptor = unsafe open("\(directory)/\(name)", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            return unsafe access(directory, F_OK) == 0 ? .missing : .noDatabase
        }
        defer { close(descriptor) }
        // The longest file has 4 KB; one that fills this is something else.
        var bytes = [UInt8](repeating: 0, count: 65_536)
        var count = 0
        while count < bytes.count {
            let room = bytes.count - count
            let taken = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe Glibc.read(descriptor, buffer.baseAddress.map { unsafe $0 + count }, room)
            }
            if taken < 0, errno == EINTR { continue }
            guard taken > 0 else { break }
            count += taken
        }
        return count < bytes.count ? .bytes(Array(bytes[..<count])) : .missing
    }
}

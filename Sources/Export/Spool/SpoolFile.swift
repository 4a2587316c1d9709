import Glibc
import JobQueue

/// A file without a name: nobody else can open it, and it is gone when it is closed, however that comes.
final class SpoolFile: Sendable {
    private let descriptor: Int32
    private let directory: String

    init(in directory: String) throws(JobFailure) {
        self.directory = directory
        var path = Array("\(directory)/sheetsync-rows-XXXXXX".utf8CString)
        descriptor = unsafe path.withUnsafeMutableBufferPointer { buffer in
            guard let path = buffer.baseAddress else { return -1 }
            let descriptor = unsafe mkstemp(path)
            if descriptor >= 0 {
                _ = unsafe unlink(path)
                _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            }
            return descriptor
        }
        // A folder that takes no file at all is no fault of the query.
        guard descriptor >= 0 else {
            throw Self.failure("be kept in", directory, retry: .snooze(.seconds(60)), needsMending: true)
        }
    }

    deinit { close(descriptor) }

    /// Writes bytes at a place.
    func write(_ bytes: ArraySlice<UInt8>, at offset: Int) throws(JobFailure) {
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe pwrite(
                    descriptor, buffer.baseAddress.map { unsafe $0 + done }, buffer.count - done, offset + done)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Self.failure("be written in", directory) }
            done += count
        }
    }

    /// Reads bytes from a place on into a part of an array; returns how many there were.
    func read(into bytes: inout [UInt8], _ range: Range<Int>, at offset: Int) throws(JobFailure) -> Int {
        while true {
            let count = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe pread(descriptor, buffer.baseAddress.map { unsafe $0 + range.lowerBound }, range.count, offset)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Self.failure("be read in", directory) }
            return count
        }
    }

    /// The place of the next line feed.
    static func lineFeed(in bytes: [UInt8], _ range: Range<Int>) -> Int? {
        unsafe bytes.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress,
                let found = unsafe memchr(base + range.lowerBound, 0x0A, range.count)
            else { return nil }
            return unsafe found - UnsafeMutableRawPointer(mutating: base)
        }
    }

    private static func failure(
        _ what: String, _ directory: String, retry: JobFailure.Retry = .backoff, needsMending: Bool = false
    ) -> JobFailure {
        let reason = unsafe String(cString: strerror(errno))
        return JobFailure(
            .spoolFailed,
            "The query's rows cannot \(what) \(directory): \(reason). Make room there or set SHEETSYNC_SPOOL_DIR; the query "
                + "runs again.", retry: retry, needsMending: needsMending)
    }
}

import Glibc

/// A file that appears under its name when it is complete, and never half-written.
///
/// Until then it has no name, so that a process that dies leaves none; where the file system knows no such files, it has a
/// hidden name of its own.
struct CSVFile: ~Copyable {
    private static let blockSize = 256 * 1024
    /// `O_TMPFILE`, a macro that Swift does not see: the number that it has on every machine that Swift runs on.
    private static let unnamed = 0o20_000_000 | O_DIRECTORY

    private let path: String
    private let directory: String
    private let temporaryPath: String?
    private let descriptor: Int32
    private var block: [UInt8] = []
    private var isFinished = false

    /// Begins a file in the folder that it will lie in.
    init(path: String, in directory: String) throws(CSVFileError) {
        self.path = path
        self.directory = directory
        let unnamed = unsafe open(directory, Self.unnamed | O_WRONLY | O_CLOEXEC, 0o600)
        guard unnamed < 0 else {
            descriptor = unnamed
            temporaryPath = nil
            return
        }
        var name = Array("\(directory)/.sheetsync-csv-XXXXXX".utf8CString)
        let descriptor = unsafe name.withUnsafeMutableBufferPointer { buffer in
            unsafe buffer.baseAddress.map { unsafe mkstemp($0) } ?? -1
        }
        guard descriptor >= 0 else { throw CSVFileError(directory: directory) }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        self.descriptor = descriptor
        temporaryPath = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        close(descriptor)
        if !isFinished, let temporaryPath { unsafe unlink(temporaryPath) }
    }

    /// Writes bytes behind the others.
    mutating func append(_ bytes: [UInt8]) throws(CSVFileError) {
        block += bytes
        if block.count >= Self.blockSize { try flush() }
    }

    /// Makes the file last and gives it its name, over one that is there; its group may read it.
    mutating func finish() throws(CSVFileError) {
        try flush()
        guard fchmod(descriptor, 0o640) == 0, fsync(descriptor) == 0, takeName() else {
            throw CSVFileError(directory: directory)
        }
        isFinished = true
        // The name lasts when the folder does.
        let folder = unsafe open(directory, O_RDONLY | O_DIRECTORY)
        if folder >= 0 {
            fsync(folder)
            close(folder)
        }
    }

    private func takeName() -> Bool {
        if let temporaryPath { return unsafe rename(temporaryPath, path) == 0 }
        // A link takes nobody's place.
        for _ in 1...2 {
            if unsafe linkat(AT_FDCWD, "/proc/self/fd/\(descriptor)", AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0 {
                return true
            }
            guard errno == EEXIST, unsafe unlink(path) == 0 else { break }
        }
        return false
    }

    private mutating func flush() throws(CSVFileError) {
        var done = 0
        while done < block.count {
            let count = unsafe block.withUnsafeBytes { buffer in
                unsafe write(descriptor, buffer.baseAddress.map { unsafe $0 + done }, buffer.count - done)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw CSVFileError(directory: directory) }
            done += count
        }
        block.removeAll(keepingCapacity: true)
    }
}

/// Why a CSV file could not be written, by the last error of the system.
struct CSVFileError: Error, CustomStringConvertible {
    let description: String

    init(directory: String) {
        description = "\(directory) cannot be written to (\(unsafe String(cString: strerror(errno))))."
    }
}

import FoundationEssentials
import Glibc
import Synchronization

/// The folder of CSV files, and how much all of them may take together.
final class CSVSpace: Sendable {
    let directory: String
    private let limit: Int
    private let bytes = Mutex(Bytes())

    private struct Bytes {
        /// Of files that are there.
        var standing = 0
        /// Of files that are being written.
        var begun = 0
    }

    init(directory: String, limit: Int) {
        self.directory = directory
        self.limit = limit
    }

    /// A file that is being written, which counts until it is there or given up.
    final class Share: Sendable {
        private let space: CSVSpace
        private let own = Mutex(0)

        fileprivate init(of space: CSVSpace) { self.space = space }

        deinit { space.leave(own.withLock { $0 }) }

        /// Takes more.
        func take(_ count: Int) throws(CSVSpaceError) {
            let isTaken = space.bytes.withLock { bytes in
                guard bytes.standing + bytes.begun + count <= space.limit else { return false }
                bytes.begun += count
                return true
            }
            guard isTaken else { throw CSVSpaceError(limit: space.limit) }
            own.withLock { $0 += count }
        }
    }

    /// Begins a file.
    func share() -> Share {
        leave(0)
        return Share(of: self)
    }

    /// Gives back what a file took while it was written, and looks at what is there.
    private func leave(_ count: Int) {
        bytes.withLock { bytes in
            bytes.begun -= count
            bytes.standing = files().reduce(0) { $0 + $1.size }
        }
    }

    func remove(_ path: String) { unsafe unlink(path) }

    func removeFiles(of job: Int) {
        for file in files() where file.job == job { remove(file.path) }
    }

    func removeFiles(olderThan age: Duration) {
        let now = time(nil)
        for file in files() where now - file.time > Int(age.components.seconds) { remove(file.path) }
    }

    private struct File {
        let path: String
        let job: Int
        let size: Int
        /// When it was written, in seconds since the beginning of 1970.
        let time: Int
    }

    /// The files that this program wrote: `job-42-1-Name.csv`, regular and its own.
    private func files() -> [File] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.compactMap { name in
            let parts = name.split(separator: "-", maxSplits: 3, omittingEmptySubsequences: false)
            guard parts.count == 4, parts[0] == "job", let job = Int(parts[1]), Int(parts[2]) != nil,
                name.hasSuffix(".csv")
            else { return nil }
            let path = "\(directory)/\(name)"
            var info = stat()
            guard unsafe lstat(path, &info) == 0, info.st_mode & S_IFMT == S_IFREG, info.st_uid == geteuid() else {
                return nil
            }
            return File(path: path, job: job, size: Int(info.st_size), time: info.st_mtim.tv_sec)
        }
    }
}

/// The CSV files have no room.
struct CSVSpaceError: Error, CustomStringConvertible {
    let limit: Int

    var description: String {
        "the files of failed exports would take more than the \(limit / 1_048_576) MB that SHEETSYNC_EXPORT_MAX_MB allows; "
            + "take some away or raise that, and retry the job."
    }
}

import FoundationEssentials
import Glibc

/// What the kernel says about this process and the machine; a number that it keeps to itself is nil.
struct ProcessStatistics {
    /// When this process began its work.
    let startedAt: Date
    var processorSeconds: Double?
    var residentBytes: Int?
    var virtualBytes: Int?
    var openFiles: Int?
    var mostOpenFiles: Int?
    /// The machine's, or nil where /proc hides it.
    var memoryTotal: Int?
    var memoryAvailable: Int?
    var load: Double?
    /// Of the file system that temporary files are on.
    var diskTotal: Int?
    var diskFree: Int?

    init(startedAt: Date) {
        self.startedAt = startedAt
        // Behind the name, which stands in parentheses and may hold anything.
        if let stat = Self.read("/proc/self/stat"), let end = stat.lastIndex(of: ")") {
            let fields = stat[stat.index(after: end)...].split(separator: " ")
            if fields.count > 21, let user = Double(fields[11]), let system = Double(fields[12]) {
                processorSeconds = (user + system) / Double(sysconf(CInt(_SC_CLK_TCK)))
                virtualBytes = Int(fields[20])
                residentBytes = Int(fields[21]).map { $0 * sysconf(CInt(_SC_PAGESIZE)) }
            }
        }
        openFiles = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd"))?.count
        mostOpenFiles = Self.read("/proc/self/limits")?.split(separator: "\n")
            .first { $0.hasPrefix("Max open files") }?.split(separator: " ").dropFirst(3).first.flatMap { Int($0) }
        let memory = Self.read("/proc/meminfo")?.split(separator: "\n") ?? []
        func kilobytes(_ name: String) -> Int? {
            memory.first { $0.hasPrefix(name) }?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        }
        memoryTotal = kilobytes("MemTotal:").map { $0 << 10 }
        memoryAvailable = kilobytes("MemAvailable:").map { $0 << 10 }
        load = Self.read("/proc/loadavg")?.split(separator: " ").first.flatMap { Double($0) }
        let disk = try? FileManager.default.attributesOfFileSystem(
            forPath: FileManager.default.temporaryDirectory.path)
        diskTotal = Self.int(disk?[.systemSize])
        diskFree = Self.int(disk?[.systemFreeSize])
    }

    private static func int(_ value: Any?) -> Int? {
        switch value {
        case let value as any BinaryInteger: Int(clamping: value)
        default: nil
        }
    }

    private static func read(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }
}

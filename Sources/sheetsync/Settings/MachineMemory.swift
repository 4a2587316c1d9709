import FoundationEssentials

/// How much memory this process may use: the machine's, or the limit of a control group that it is in.
enum MachineMemory {
    /// In bytes; nil where the system does not say.
    static func limit(root: String = "") -> Int? {
        let groups = text("\(root)/proc/self/cgroup").split(separator: "\n").flatMap { line in
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { return [String]() }
            // Version 2 has one hierarchy without names, version 1 one for each controller.
            if fields[1].isEmpty { return files("\(root)/sys/fs/cgroup", fields[2], ["memory.max", "memory.high"]) }
            guard fields[1].split(separator: ",").contains("memory") else { return [] }
            return files("\(root)/sys/fs/cgroup/memory", fields[2], ["memory.limit_in_bytes"])
        }
        let limits = groups.compactMap { Int(text($0).trimmed) }
        let total = text("\(root)/proc/meminfo").split(separator: "\n").first { $0.hasPrefix("MemTotal:") }
            .flatMap { $0.split(separator: " ").dropFirst().first.flatMap { Int($0) } }.map { $0 * 1024 }
        return (limits + (total.map { [$0] } ?? [])).filter { $0 > 0 }.min()
    }

    /// The files of a group and of those that it lies in; a container sees its own at the top.
    private static func files(_ mount: String, _ group: Substring, _ names: [String]) -> [String] {
        var directories = [mount]
        for name in group.split(separator: "/") where name != ".." {
            directories.append("\(directories.last ?? mount)/\(name)")
        }
        return directories.flatMap { directory in names.map { "\(directory)/\($0)" } }
    }

    private static func text(_ path: String) -> String {
        // Such files have no size, so they are read to their end.
        guard let data = FileManager.default.contents(atPath: path) else { return "" }
        return String(decoding: data, as: UTF8.self)
    }
}

extension String {
    fileprivate var trimmed: String { split(whereSeparator: \.isWhitespace).first.map(String.init) ?? "" }
}

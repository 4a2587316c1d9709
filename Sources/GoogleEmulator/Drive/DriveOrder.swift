/// The order of a list of files, the parameter `orderBy`.
struct DriveOrder: Sendable {
    private enum Key: String {
        case createdTime, modifiedTime, folder, name
        case nameNatural = "name_natural"
        case recency, starred, viewedByMeTime, modifiedByMeTime, sharedWithMeTime, quotaBytesUsed
    }

    private let keys: [(key: Key, isDescending: Bool)]

    /// Reads `folder,modifiedTime desc,name`; nil where a key is unknown.
    ///
    /// Without keys, what changed last comes first.
    init?(_ text: String?) {
        var keys: [(key: Key, isDescending: Bool)] = []
        for part in text?.split(separator: ",") ?? ["modifiedTime desc"] {
            let words = part.split(separator: " ")
            guard let first = words.first, let key = Key(rawValue: String(first)),
                words.count == 1 || words.count == 2 && words[1] == "desc"
            else { return nil }
            keys.append((key, words.count == 2))
        }
        self.keys = keys
    }

    /// Whether one file comes before another; ids break ties, so that pages never overlap.
    func precedes(_ left: DriveFile, _ right: DriveFile) -> Bool {
        for (key, isDescending) in keys {
            let comparison = Self.compare(key, left, right)
            if comparison != 0 { return isDescending ? comparison > 0 : comparison < 0 }
        }
        return left.id < right.id
    }

    private static func compare(_ key: Key, _ left: DriveFile, _ right: DriveFile) -> Int {
        switch key {
        case .createdTime: left.createdTime.milliseconds - right.createdTime.milliseconds
        case .modifiedTime, .recency, .viewedByMeTime, .modifiedByMeTime, .sharedWithMeTime:
            left.modifiedTime.milliseconds - right.modifiedTime.milliseconds
        case .folder: (left.isFolder ? 0 : 1) - (right.isFolder ? 0 : 1)
        case .name, .nameNatural:
            left.name.lowercased() == right.name.lowercased()
                ? 0 : left.name.lowercased() < right.name.lowercased() ? -1 : 1
        case .starred: (left.isStarred ? 0 : 1) - (right.isStarred ? 0 : 1)
        case .quotaBytesUsed: 0
        }
    }
}

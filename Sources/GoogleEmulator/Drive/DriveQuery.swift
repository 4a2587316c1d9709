/// A search in Drive's query language, the parameter `q` of `files.list`.
indirect enum DriveQuery: Sendable {
    enum Comparison: String, Sendable {
        case equal = "="
        case notEqual = "!="
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
        case contains

        /// Whether two values stand in this order; `contains` is no order.
        func holds<Value: Comparable>(_ left: Value, _ right: Value) -> Bool {
            switch self {
            case .equal: left == right
            case .notEqual: left != right
            case .less: left < right
            case .lessOrEqual: left <= right
            case .greater: left > right
            case .greaterOrEqual: left >= right
            case .contains: false
            }
        }
    }

    case and(DriveQuery, DriveQuery)
    case or(DriveQuery, DriveQuery)
    case not(DriveQuery)
    case name(Comparison, String)
    case mimeType(Comparison, String)
    case modifiedTime(Comparison, Timestamp)
    case createdTime(Comparison, Timestamp)
    case trashed(Bool)
    case starred(Bool)
    case sharedWithMe(Bool)
    /// `'ID' in parents`
    case parent(String)
    /// `'me' in owners`
    case owner(String)
    /// `'a@example.com' in writers`: who may at least do this, be it as owner or by a permission.
    case grantee(String, Permission.Role)
    /// `fullText contains 'x'`: words of the name and the description; what files hold is not indexed.
    case fullText(String)
    case visibility(Comparison, String)
    /// `shortcutDetails.targetId = 'ID'`; the emulator has no shortcuts.
    case shortcutTarget(Comparison, String)
    case appProperty(key: String, value: String)
    case property(key: String, value: String)

    /// What a query is asked about a file.
    struct Subject {
        let file: DriveFile
        let isTrashed: Bool
        /// The e-mail address of who asks.
        let caller: String
        /// The top folder of the caller's own drive, which queries call `root`.
        let root: String?
        let drive: DriveStore

        fileprivate func address(_ email: String) -> String { email == "me" ? caller : email }
    }

    /// Whether the query speaks of names.
    var asksForName: Bool {
        switch self {
        case .and(let left, let right), .or(let left, let right): left.asksForName || right.asksForName
        case .not(let query): query.asksForName
        case .name, .fullText: true
        default: false
        }
    }

    /// Whether the query speaks of parents.
    var asksForParent: Bool {
        switch self {
        case .and(let left, let right), .or(let left, let right): left.asksForParent || right.asksForParent
        case .not(let query): query.asksForParent
        case .parent: true
        default: false
        }
    }

    /// Whether a file is found.
    func matches(_ subject: Subject) -> Bool {
        let file = subject.file
        switch self {
        case .and(let left, let right): return left.matches(subject) && right.matches(subject)
        case .or(let left, let right): return left.matches(subject) || right.matches(subject)
        case .not(let query): return !query.matches(subject)
        case .name(.contains, let text): return Self.hasWord(in: file.name, beginningWith: text)
        case .name(let comparison, let text): return comparison.holds(file.name, text)
        case .mimeType(.contains, let text): return file.mimeType.hasPrefix(text)
        case .mimeType(let comparison, let text): return comparison.holds(file.mimeType, text)
        case .modifiedTime(let comparison, let time): return comparison.holds(file.modifiedTime, time)
        case .createdTime(let comparison, let time): return comparison.holds(file.createdTime, time)
        case .trashed(let value): return subject.isTrashed == value
        case .starred(let value): return file.isStarred == value
        case .sharedWithMe(let value): return (file.driveID == nil && file.owner != subject.caller) == value
        case .parent("root"): return file.parent != nil && file.parent == subject.root
        case .parent(let id): return file.parent == id
        case .owner(let email):
            return file.driveID == nil && file.owner == subject.address(email)
        case .grantee(let email, let role):
            return subject.drive.role(of: subject.address(email), file) ?? .reader >= role
                && subject.drive.role(of: subject.address(email), file) != nil
        case .fullText(let text):
            return Self.hasWord(in: file.name + " " + (file.description ?? ""), beginningWith: text)
        case .visibility(let comparison, let name):
            return comparison.holds(Self.visibility(of: file, subject.drive), name)
        case .shortcutTarget(let comparison, _): return comparison == .notEqual
        case .appProperty(let key, let value): return file.appProperties[key] == value
        case .property(let key, let value): return file.properties[key] == value
        }
    }

    /// The widest circle that a file is shared with.
    private static func visibility(of file: DriveFile, _ drive: DriveStore) -> String {
        var names: Set<String> = []
        for (permission, _) in drive.permissions(of: file) {
            switch permission.grantee {
            case .anyone(let isFindable): names.insert(isFindable ? "anyoneCanFind" : "anyoneWithLink")
            case .domain(_, let isFindable): names.insert(isFindable ? "domainCanFind" : "domainWithLink")
            case .user, .group: break
            }
        }
        return ["anyoneCanFind", "anyoneWithLink", "domainCanFind", "domainWithLink"].first(where: names.contains)
            ?? "limited"
    }

    /// Drive's `name contains` finds beginnings of words only: `contains 'hello'` finds `HelloWorld`, `World` does not.
    private static func hasWord(in name: String, beginningWith text: String) -> Bool {
        let name = Array(name.lowercased())
        let text = Array(text.lowercased())
        guard !text.isEmpty else { return true }
        return name.indices.contains { index in
            let isStart = index == 0 || !(name[index - 1].isLetter || name[index - 1].isNumber)
            return isStart && name[index...].starts(with: text)
        }
    }
}

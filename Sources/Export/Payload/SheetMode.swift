import JSON

/// What a sheet's rows do with those that are in the spreadsheet already.
public enum SheetMode: Sendable, Hashable {
    /// They take the place of all that is there.
    case replace
    /// They go below the last row.
    case append
    /// They change the rows that have the same values in the key's columns, and go below the last row where none has.
    case upsert(key: [String])
    /// They and the rows that earlier jobs of the mode wrote are kept the same.
    case mirror(MirrorOptions)

    /// The names of the columns by which rows are found; nil where they are not.
    var key: [String]? {
        switch self {
        case .replace, .append: nil
        case .upsert(let key): key
        case .mirror(let options): options.key
        }
    }

    /// More columns make no key that anybody means.
    static let longestKey = 100

    /// Reads `mode` and `key`.
    ///
    /// - Parameter columns: The names of the columns; nil where a query will name them.
    static func read(_ object: PayloadObject, columns: [String]?) throws(PayloadError) -> SheetMode {
        let key = try object.array("key")
        let name = try object.string("mode") ?? "replace"
        if name != "mirror" { try MirrorOptions.refuse(in: object) }
        guard name == "upsert" || name == "mirror" else {
            guard key == nil else {
                throw PayloadError(at: object.path(of: "key"), "goes with the modes upsert and mirror alone")
            }
            switch name {
            case "replace": return .replace
            case "append": return .append
            default:
                throw PayloadError(at: object.path(of: "mode"), "expected replace, append, upsert or mirror")
            }
        }
        guard let key, !key.isEmpty else {
            throw PayloadError(at: object.path(of: "key"), "\(name) needs the names of the columns that make the key")
        }
        guard key.count <= longestKey else {
            throw PayloadError(
                at: object.path(of: "key"), "expected at most \(longestKey) columns, got \(key.count)")
        }
        let known = columns.map(Set.init)
        var names: [String] = []
        var seen: Set<String> = []
        for (index, element) in key.enumerated() {
            let path = object.path(of: "key[\(index)]")
            guard let name = element.string else {
                throw PayloadError(at: path, "expected a string, got \(element.kind)")
            }
            // A query names its columns later.
            guard known?.contains(name) ?? true else { throw PayloadError(at: path, "is not the name of a column") }
            guard seen.insert(name).inserted else { throw PayloadError(at: path, "is named twice") }
            names.append(name)
        }
        return name == "upsert" ? .upsert(key: names) : .mirror(try MirrorOptions(object, key: names))
    }
}

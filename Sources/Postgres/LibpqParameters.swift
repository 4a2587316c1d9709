import CPostgres

/// The parameters that the libpq knows with which this program runs.
enum LibpqParameters {
    static let names: Set<String> = {
        // Of a text that gives none, all come back without a value.
        let options = unsafe PQconninfoParse("", nil)
        defer { unsafe PQconninfoFree(options) }
        var names: Set<String> = []
        var index = 0
        while let keyword = unsafe options?[index].keyword {
            names.insert(unsafe String(cString: keyword))
            index += 1
        }
        return names
    }()
}

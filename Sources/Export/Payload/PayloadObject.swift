import JSON

/// An object of a payload, read member by member; every refusal names its path.
///
/// A member that is `null` counts as missing.
struct PayloadObject {
    let path: String
    private let members: JSONObject

    /// Takes an object whose members all have known names.
    init(_ value: JSON, at path: String, names: [String]) throws(PayloadError) {
        guard case .object(let members) = value else {
            throw PayloadError(at: path, "expected an object, got \(value.kind)")
        }
        self.path = path
        self.members = members
        for name in members.names where !names.contains(name) {
            throw PayloadError(
                at: self.path(of: name), "unknown field" + Suggestion.hint(for: name, among: names))
        }
    }

    /// The path of a member.
    func path(of name: String) -> String { Self.path(of: name, in: path) }

    /// The path of a member by its name, which somebody else chose: 64 characters of it at most, on one line.
    static func path(of name: String, in path: String) -> String {
        var shown = path.isEmpty ? "" : path + "."
        let scalars = name.unicodeScalars.prefix(65)
        for scalar in scalars.prefix(64) {
            shown.unicodeScalars.append(scalar.properties.generalCategory == .control ? "\u{FFFD}" : scalar)
        }
        return scalars.count > 64 ? shown + "…" : shown
    }

    /// The value of a member that is there and not `null`.
    subscript(name: String) -> JSON? {
        guard let value = members[name], !value.isNull else { return Optional.none }
        return value
    }

    func string(_ name: String) throws(PayloadError) -> String? {
        try read(name, "a string", \.string)
    }

    func array(_ name: String) throws(PayloadError) -> [JSON]? {
        try read(name, "an array", \.array)
    }

    /// The elements of an array that may be long.
    func elements(_ name: String) throws(PayloadError) -> JSONElements? {
        try read(name, "an array", \.elements)
    }

    func boolean(_ name: String) throws(PayloadError) -> Bool? {
        try read(name, "true or false", \.bool)
    }

    func integer(_ name: String) throws(PayloadError) -> Int? {
        try read(name, "a whole number", \.int)
    }

    func required(_ name: String) throws(PayloadError) -> String {
        guard let text = try string(name) else { throw PayloadError(at: path(of: name), "is missing") }
        return text
    }

    private func read<Value>(_ name: String, _ kind: String, _ take: (JSON) -> Value?) throws(PayloadError) -> Value? {
        guard let value = self[name] else { return nil }
        guard let taken = take(value) else {
            throw PayloadError(at: path(of: name), "expected \(kind), got \(value.kind)")
        }
        return taken
    }
}

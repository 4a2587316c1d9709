import JSON

/// Where two answers differ first; nil where they do not.
///
/// - Parameter areEqual: Compares two values that are no containers, by the name of the member that holds them.
func firstDifference(
    _ expected: JSON, _ actual: JSON, at path: String = "", name: String = "",
    areEqual: (JSON, JSON, String) -> Bool
) -> String? {
    switch (expected, actual) {
    case (.object(let expected), .object(let actual)):
        for member in expected where actual[member.name] == nil { return "\(path).\(member.name) is missing" }
        for member in actual where expected[member.name] == nil { return "\(path).\(member.name) is too much" }
        for member in expected {
            let found = firstDifference(
                member.value, actual[member.name] ?? .null, at: path + "." + member.name, name: member.name,
                areEqual: areEqual)
            if let found { return found }
        }
        return nil
    case (.array(let expected), .array(let actual)):
        guard expected.count == actual.count else {
            return "\(path): \(actual.count) for \(expected.count) elements"
        }
        for (index, pair) in zip(expected, actual).enumerated() {
            let found = firstDifference(pair.0, pair.1, at: "\(path)[\(index)]", name: name, areEqual: areEqual)
            if let found { return found }
        }
        return nil
    default: return areEqual(expected, actual, name) ? nil : "\(path): \(actual) for \(expected)"
    }
}

/// A condition on files in Drive's search language.
public struct DriveQuery: Sendable, Hashable {
    /// The condition as Drive reads it.
    public let text: String

    private init(_ text: String) { self.text = text }

    /// Lies directly in a folder; Drive is up to date about this at once, other than about names.
    public static func parent(_ id: String) -> Self { Self("\(quoted(id)) in parents") }

    /// Has exactly this name.
    public static func name(_ name: String) -> Self { Self("name = \(quoted(name))") }

    /// Is of this type.
    public static func mimeType(_ type: String) -> Self { Self("mimeType = \(quoted(type))") }

    /// Is in the trash, or is not.
    public static func trashed(_ value: Bool) -> Self { Self("trashed = \(value)") }

    /// Has a mark of this Cloud project's.
    public static func appProperty(_ key: String, _ value: String) -> Self {
        Self("appProperties has { key=\(quoted(key)) and value=\(quoted(value)) }")
    }

    /// Fulfils both conditions.
    public static func && (left: Self, right: Self) -> Self { Self("\(left.text) and \(right.text)") }

    /// A text in quotes; backslashes come first, because escaping a quote adds one.
    private static func quoted(_ text: String) -> String {
        "'\(text.replacing("\\", with: "\\\\").replacing("'", with: "\\'"))'"
    }
}

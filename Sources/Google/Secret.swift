/// A text that no log, error or debugger dump may show.
public struct Secret: Sendable, Hashable {
    /// The text itself.
    public let text: String

    /// Wraps a text.
    public init(_ text: String) { self.text = text }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// A placeholder.
    public var description: String { "[secret]" }
    /// A placeholder.
    public var debugDescription: String { description }
    /// Nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

import JSON

/// The names of folders from the top down, below the folder where exports land.
public struct FolderPath: Sendable, Hashable, CustomStringConvertible {
    /// The names, at least one; a name may hold a slash.
    public let names: [String]

    /// Drive nests folders no deeper.
    static let deepest = 100

    /// Reads `"Team/2026"`, or `["Team", "2026"]` where names may hold a slash.
    init(_ value: JSON, at path: String) throws(PayloadError) {
        switch value {
        case .string(let text):
            // One more than fits, so that a text of slashes alone does not become a list of as many names.
            names = text.split(separator: "/", maxSplits: Self.deepest, omittingEmptySubsequences: false)
                .map(String.init)
            try Self.checkCount(text.utf8.count { $0 == UInt8(ascii: "/") } + 1, at: path)
            for name in names {
                guard !name.isEmpty else {
                    throw PayloadError(at: path, "has an empty name between, before or behind its slashes")
                }
                try PayloadText.checkName(name, at: path)
            }
        case .array, .text:
            let elements = value.array ?? []
            guard !elements.isEmpty else { throw PayloadError(at: path, "must name at least one folder") }
            try Self.checkCount(elements.count, at: path)
            var names: [String] = []
            for (index, element) in elements.enumerated() {
                guard case .string(let name) = element else {
                    throw PayloadError(at: "\(path)[\(index)]", "expected a string, got \(element.kind)")
                }
                try PayloadText.checkName(name, at: "\(path)[\(index)]")
                names.append(name)
            }
            self.names = names
        case .null, .bool, .number, .object:
            throw PayloadError(at: path, "expected a string or an array of strings, got \(value.kind)")
        }
    }

    private static func checkCount(_ count: Int, at path: String) throws(PayloadError) {
        guard count <= deepest else {
            throw PayloadError(at: path, "expected at most \(deepest) folders in each other, got \(count)")
        }
    }

    /// The names with slashes between, for people.
    public var description: String { names.joined(separator: "/") }
}

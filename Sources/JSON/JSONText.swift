/// An array as the text that it came in, checked, whose elements become values one at a time.
///
/// It takes no more memory than the text; as a tree of values the array `[[0],[0],[0]]` takes thirty times as much.
public struct JSONText: Sendable {
    private let bytes: [UInt8]
    private let start: JSONReader.Place
    private let longestTree: Int
    /// How many elements it has.
    public let count: Int

    init(_ bytes: [UInt8], from start: JSONReader.Place, count: Int, longestTree: Int) {
        self.bytes = bytes
        self.start = start
        self.count = count
        self.longestTree = longestTree
    }
}

extension JSONText: Sequence {
    /// Reads one element after another.
    public struct Iterator: IteratorProtocol {
        fileprivate var reader: JSONReader

        /// The next element.
        public mutating func next() -> JSON? {
            // The text was checked when it was read for the first time.
            guard (try? reader.nextElement()) == true else { return nil }
            return try? reader.value()
        }
    }

    /// Begins with the first element.
    public func makeIterator() -> Iterator {
        var reader = JSONReader(bytes)
        reader.longestTree = longestTree
        reader.place = start
        try? reader.beginArray()
        return Iterator(reader: reader)
    }

    /// How many elements there are.
    public var underestimatedCount: Int { count }
}

extension JSONText: Hashable {
    /// Two texts are equal when their elements are.
    public static func == (left: Self, right: Self) -> Bool { left.count == right.count && left.elementsEqual(right) }

    /// Feeds the hasher with the number of elements.
    public func hash(into hasher: inout Hasher) { hasher.combine(count) }
}

/// The elements of an array, whether it is a tree of values or a text.
public struct JSONElements: Sendable, Sequence {
    private enum Storage {
        case values([JSON])
        case text(JSONText)
    }

    private let storage: Storage

    /// Takes values.
    public init(_ values: [JSON]) { storage = .values(values) }

    /// Takes a text.
    public init(_ text: JSONText) { storage = .text(text) }

    /// How many there are.
    public var count: Int {
        switch storage {
        case .values(let values): values.count
        case .text(let text): text.count
        }
    }

    /// The first one.
    public var first: JSON? { first { _ in true } }

    /// Begins with the first one.
    public func makeIterator() -> AnyIterator<JSON> {
        switch storage {
        case .values(let values): AnyIterator(values.makeIterator())
        case .text(let text): AnyIterator(text.makeIterator())
        }
    }
}

import Synchronization

/// Counts from several tasks.
public final class Tally: Sendable {
    private let counts = Mutex<[Int: Int]>([:])

    /// Begins with nothing.
    public init() {}

    /// Counts one.
    public func add(_ id: Int) { counts.withLock { $0[id, default: 0] += 1 } }
    /// The counts.
    public var all: [Int: Int] { counts.withLock { $0 } }
    /// A count.
    public subscript(id: Int) -> Int { all[id] ?? 0 }
}

/// Remembers what was said, in order.
public final class Heard: Sendable {
    private let said = Mutex<[String]>([])

    /// Begins with nothing.
    public init() {}

    /// Adds to it.
    public func add(_ what: String) { said.withLock { $0.append(what) } }

    /// All that was said.
    public var all: [String] { said.withLock { $0 } }
}

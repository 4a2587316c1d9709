import Synchronization

/// How many rows have come, for those who watch.
final class RowCounter: Sendable {
    private let rows = Atomic<Int>(0)
    private let earlier = Atomic<Int>(0)

    /// Says how many rows the query that runs has given.
    func set(_ count: Int) { rows.store(count, ordering: .relaxed) }

    /// Begins to count the next query.
    func next() { earlier.add(rows.exchange(0, ordering: .relaxed), ordering: .relaxed) }

    var total: Int { earlier.load(ordering: .relaxed) + rows.load(ordering: .relaxed) }
}

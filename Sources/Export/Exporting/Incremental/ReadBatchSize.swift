/// How many cells to ask for at a time, so that an answer is neither large nor one of very many.
struct ReadBatchSize: Sendable, Hashable {
    /// What an answer should have, in bytes; the HTTP client takes eight times as much.
    private static let goal = 4_000_000

    /// The cells of the next answer.
    private(set) var cells: Int
    private let most: Int

    /// Begins with a number of cells, which it never exceeds.
    init(cells: Int) {
        self.cells = cells
        most = cells
    }

    /// How many rows of so many columns that is, one at least.
    func rows(ofWidth width: Int) -> Int { max(1, cells / max(1, width)) }

    /// Takes note of how large the last answer was; what comes next is taken to be like it.
    mutating func learn(cells asked: Int, bytes: Int) {
        // Short answers grow slowly, because the first rows of a sheet need not be like the others.
        let fitting = asked * Self.goal / max(1, bytes)
        cells = max(1, min(fitting, max(cells, asked) * 2, most))
    }

    /// Takes note that an answer was too large.
    mutating func halve(from asked: Int) { cells = max(1, asked / 2) }
}

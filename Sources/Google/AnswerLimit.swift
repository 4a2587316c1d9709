/// How much the answer to a call may hold: its size, and how many values its tree has.
///
/// An answer is read whole, and the tree of a text that is all brackets takes far more memory than the text itself.
public struct AnswerLimit: Sendable, Hashable {
    /// The bytes of the body, decompressed.
    public var bytes: Int
    /// The JSON values, those within others too.
    public var values: Int
    /// The length in bytes from which an array of it stays text.
    public var longestTree = Int.max

    /// Makes a limit.
    public init(bytes: Int, values: Int) {
        self.bytes = bytes
        self.values = values
    }

    /// What one file, one permission or the number of rows written takes.
    public static let small = AnswerLimit(bytes: 256 << 10, values: 5_000)
    /// A page of a list: 1,000 files, each with a hundred properties at most.
    static let page = AnswerLimit(bytes: 16 << 20, values: 250_000)
    /// What Sheets tells of the sheets of a spreadsheet beside their cells: 200, with 30,000 characters of metadata each.
    static let sheets = AnswerLimit(bytes: 16 << 20, values: 250_000)

    /// Replies to the requests of a batch, 100,000 at most, nearly all of them empty.
    static let replies = AnswerLimit(bytes: 4 << 20, values: 250_000)

    /// So many cells, with so many values a cell; a text in a cell has 50,000 characters at most.
    static func cells(_ count: Int, valuesEach: Int) -> AnswerLimit {
        AnswerLimit(bytes: 32 << 20, values: 10_000 + count.multipliedCapped(by: valuesEach))
    }
}

extension Int {
    fileprivate func multipliedCapped(by other: Int) -> Int {
        let (product, overflows) = multipliedReportingOverflow(by: other)
        return overflows ? .max / 2 : Swift.min(product, .max / 2)
    }
}

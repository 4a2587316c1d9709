/// What a reader should know about a value that was not written as it came.
public enum CellWarning: Sendable, Hashable, CaseIterable {
    /// An integer with more digits than a double holds, written as text.
    case longIntegerAsText
    /// A decimal with more digits than a double holds, written as text.
    case longDecimalAsText
    /// NaN or infinity where a number, a date or anything else than text is expected, written as text.
    case notANumberAsText
    /// A date or time that a sheet cannot hold, such as infinity or a year before Christ, written as text.
    case dateAsText

    /// A member of an object that has the name of no column, left out.
    case noColumn

    func sentence(count: Int) -> String {
        let one = count == 1
        return switch self {
        case .longIntegerAsText:
            "\(count.grouped) \(one ? "integer" : "integers") beyond \((1 << 53).grouped) "
                + "\(one ? "was" : "were") written as text, because a cell would round \(one ? "it" : "them")"
        case .longDecimalAsText:
            "\(count.grouped) \(one ? "decimal" : "decimals") with more digits than a cell holds "
                + "\(one ? "was" : "were") written as text"
        case .notANumberAsText:
            "\(count.grouped) \(one ? "value" : "values") of NaN or infinity \(one ? "was" : "were") written as text"
        case .noColumn:
            "\(count.grouped) \(one ? "value was" : "values were") left out, because no column has this name"
        case .dateAsText:
            "\(count.grouped) \(one ? "date or time" : "dates or times") that a cell cannot hold "
                + "\(one ? "was" : "were") written as text"
        }
    }
}

/// How rows or columns change places when some come, go or move.
struct DimensionShift: Sendable {
    enum Kind: Sendable {
        /// So many come before a position.
        case insert(Int, count: Int)
        case delete(Range<Int>)
        /// Some move before the position that another one has until then.
        case move(Range<Int>, to: Int)
    }

    let isRows: Bool
    let kind: Kind

    /// Where a row or column is afterwards; nil where it is gone.
    func position(_ old: Int) -> Int? {
        switch kind {
        case .insert(let place, let count): return old >= place ? old + count : old
        case .delete(let range):
            if range.contains(old) { return nil }
            return old >= range.upperBound ? old - range.count : old
        case .move(let range, let target):
            if range.contains(old) {
                return old + (target > range.lowerBound ? target - range.upperBound : target - range.lowerBound)
            }
            if target > range.lowerBound, (range.upperBound..<max(target, range.upperBound)).contains(old) {
                return old - range.count
            }
            if target < range.lowerBound, (target..<range.lowerBound).contains(old) { return old + range.count }
            return old
        }
    }

    /// Where a span is afterwards: it grows by what comes into it and shrinks by what goes; nil where it is gone.
    func span(_ old: Range<Int>) -> Range<Int>? {
        switch kind {
        case .insert(let place, let count):
            if place <= old.lowerBound { return old.lowerBound + count..<old.upperBound + count }
            return old.lowerBound..<(place < old.upperBound ? old.upperBound + count : old.upperBound)
        case .delete(let range):
            let lower = old.lowerBound - range.clamped(to: 0..<old.lowerBound).count
            let upper = old.upperBound - range.clamped(to: 0..<old.upperBound).count
            return lower < upper ? lower..<upper : nil
        case .move:
            guard let first = position(old.lowerBound), let last = position(old.upperBound - 1) else { return nil }
            return min(first, last)..<max(first, last) + 1
        }
    }

    /// Where a range is afterwards; sides without a bound stay so.
    func range(_ old: GridRange) -> GridRange? {
        var new = old
        let (start, end) = isRows ? (old.startRow, old.endRow) : (old.startColumn, old.endColumn)
        guard start != nil || end != nil else { return old }
        let open = 1 << 40
        guard let span = span((start ?? 0)..<max(end ?? open, (start ?? 0) + 1)) else { return nil }
        let newStart = start == nil ? nil : span.lowerBound
        let newEnd = end == nil ? nil : span.upperBound
        if isRows {
            (new.startRow, new.endRow) = (newStart, newEnd)
        } else {
            (new.startColumn, new.endColumn) = (newStart, newEnd)
        }
        return new
    }
}

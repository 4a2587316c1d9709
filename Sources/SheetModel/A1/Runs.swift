extension Sequence<Int> {
    /// Ascending numbers as ranges of those that follow each other: 3, 5, 6 as `3..<4`, `5..<7`.
    public var runs: [Range<Int>] {
        var runs: [Range<Int>] = []
        for number in self {
            if let last = runs.last, last.upperBound == number {
                runs[runs.count - 1] = last.lowerBound..<number + 1
            } else {
                runs.append(number..<number + 1)
            }
        }
        return runs
    }
}

extension RandomAccessCollection {
    /// The index behind all elements that come before what is looked for, in a collection that is sorted that way.
    func sortedIndex(behind comesBefore: (Element) -> Bool) -> Index {
        var (low, count) = (startIndex, count)
        while count > 0 {
            let half = count / 2
            let middle = index(low, offsetBy: half)
            if comesBefore(self[middle]) {
                low = index(after: middle)
                count -= half + 1
            } else {
                count = half
            }
        }
        return low
    }
}

extension Int {
    /// The digits with zeros before them, so that they are so many at least: `007`.
    public func padded(to width: Int) -> String {
        let digits = String(self)
        return String(repeating: "0", count: Swift.max(0, width - digits.utf8.count)) + digits
    }
}

/// The parameters of a query string or of a form, in their order.
struct Query: Sendable, Hashable {
    /// One name and its value, decoded.
    struct Item: Sendable, Hashable {
        let name: String
        let value: String
    }

    let items: [Item]

    init(items: [Item]) { self.items = items }

    /// Reads `a=1&b=x%20y`; a plus is a space.
    init(_ text: some StringProtocol) {
        items = text.split(separator: "&").map { part in
            let halves = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return Item(
                name: PercentCoding.decode(halves[0], plusIsSpace: true),
                value: halves.count > 1 ? PercentCoding.decode(halves[1], plusIsSpace: true) : "")
        }
    }

    /// The last value of a name.
    subscript(name: String) -> String? { items.last { $0.name == name }?.value }

    /// The values of a name that may be repeated.
    func all(_ name: String) -> [String] { items.filter { $0.name == name }.map(\.value) }

    /// Whether a boolean parameter is set; Python writes `True`.
    func flag(_ name: String) -> Bool { self[name]?.lowercased() == "true" }
}

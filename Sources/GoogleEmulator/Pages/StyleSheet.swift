/// Short names for the styles of a page's cells, each written once.
struct StyleSheet {
    private var names: [String: String] = [:]
    /// The rules for all names so far.
    private(set) var css = ""

    /// The class of a style; empty for the plain one.
    mutating func name(_ style: String) -> String {
        if style.isEmpty { return "" }
        if let name = names[style] { return name }
        let name = "s\(names.count)"
        names[style] = name
        css += ".\(name){\(style)}\n"
        return name
    }
}

/// Where the columns of a job stand in a sheet that keeps its rows.
public struct ColumnPlaces: Sendable, Hashable {
    /// The index in the sheet of each of the job's columns.
    public let indices: [Int]

    /// Takes the first columns of the sheet, one after another.
    public init(inOrder count: Int) { indices = Array(0..<count) }

    /// Takes places that are known.
    public init(at indices: [Int]) { self.indices = indices }

    /// The same places counted from another column on.
    func counted(from first: Int) -> ColumnPlaces { ColumnPlaces(at: indices.map { $0 - first }) }

    /// Finds the columns whose names are in the header, and gives the others places from one on.
    ///
    /// - Returns: The places, and the indices of the columns whose names are to be written.
    public static func adding(
        _ columns: [Column], to header: [String], plain: [String], from width: Int, place: String
    ) throws(SheetModelError) -> (places: ColumnPlaces, unnamed: [Int]) {
        let names = Set(header + plain)
        let folded = Set(header.map(HeaderName.folded))
        // What looks like a column that is there is a mistake, and told as that.
        let unnamed = columns.indices.filter { index in
            let name = columns[index].name
            return !name.isEmpty && !names.contains(name) && !folded.contains(HeaderName.folded(name))
        }
        let added =
            header + Array(repeating: "", count: max(0, width - header.count)) + unnamed.map { columns[$0].name }
        return (try ColumnPlaces(of: columns, in: added, plain: plain, place: place), unnamed)
    }

    /// Finds each column by its name in the header; all must be there, each once.
    ///
    /// - Parameters:
    ///   - header: What each cell of the header shows.
    ///   - plain: The same without formats, such as 2026 for 2,026.
    ///   - place: What the header is called in errors.
    public init(
        of columns: [Column], in header: [String], plain: [String] = [], place: String = "the sheet's first row"
    ) throws(SheetModelError) {
        var known: [String: [Int]] = [:]
        for (index, name) in header.enumerated() where !name.isEmpty { known[name, default: []].append(index) }
        for (index, name) in plain.enumerated() where !name.isEmpty && known[name] == nil { known[name] = [index] }
        var indices: [Int] = []
        var taken: Set<Int> = []
        for (index, column) in columns.enumerated() {
            guard !column.name.isEmpty else {
                throw SheetModelError(
                    .header, "column \(index + 1) has no name to find it by in \(place); give it one")
            }
            guard let places = known[column.name] else {
                let names = header.filter { !$0.isEmpty }
                let folded = HeaderName.folded(column.name)
                if let alike = names.first(where: { HeaderName.folded($0) == folded }) {
                    throw SheetModelError(
                        .header,
                        "\(place) has no column \(excerpt(column.name)), but \(excerpt(alike)), which looks like it: "
                            + "\(HeaderName.difference(alike, from: column.name)); write both alike")
                }
                throw SheetModelError(
                    .header,
                    "\(place) has no column \(excerpt(column.name)), but "
                        + names.prefix(20).map { excerpt($0) }.joined(separator: ", ") + (names.count > 20 ? ", …" : "")
                        + "; write its name there, or leave it out of the job")
            }
            guard places.count == 1 else {
                throw SheetModelError(
                    .header,
                    "\(place) has \(places.count) columns \(excerpt(column.name)); rename all but one")
            }
            guard taken.insert(places[0]).inserted else {
                throw SheetModelError(.header, "the job has two columns \(excerpt(column.name)); rename one of them")
            }
            indices.append(places[0])
        }
        self.indices = indices
    }

    /// How many columns the sheet must have.
    public var width: Int { (indices.max() ?? -1) + 1 }

    /// Some columns of the job in runs of those that are neighbours in the sheet, from left to right, with the place of the
    /// first.
    func runs(_ chosen: [Int]) -> [(place: Int, columns: [Int])] {
        var runs: [(place: Int, columns: [Int])] = []
        for column in chosen.sorted(by: { indices[$0] < indices[$1] }) {
            if let last = runs.last, last.place + last.columns.count == indices[column] {
                runs[runs.count - 1].columns.append(column)
            } else {
                runs.append((indices[column], [column]))
            }
        }
        return runs
    }
}

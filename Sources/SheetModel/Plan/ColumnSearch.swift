/// A mark on a column of a sheet that a replacement wrote; it goes where the column goes.
public struct ColumnAnchor: Sendable, Hashable {
    /// More columns than these get no marks: Google takes 30,000 characters on a sheet.
    public static let most = 100

    /// Google's `metadataId`.
    public let id: Int
    /// The index of the column in the sheet.
    public let column: Int
    /// What stands for the name that was written there; see `digest(_:)`.
    public let digest: String

    /// Makes a description of a mark.
    public init(id: Int, column: Int, digest: String) {
        self.id = id
        self.column = column
        self.digest = digest
    }

    /// The digest of a column's name, without regard to case and blanks.
    public static func digest(_ name: String) -> String { WrittenColumns.digest(name) }
}

/// Finds the columns of a job in the header of a sheet, by their names and by the marks of earlier replacements.
struct ColumnSearch {
    /// The columns of the sheet that are the job's.
    var taken: Set<Int> = []
    /// The columns that have the mark of the heading that they show: those are an earlier replacement's for certain.
    private(set) var certain: Set<Int> = []
    /// Whether any column has a mark, so that a column without one is somebody's own.
    let hasMarks: Bool
    /// The marked columns that have no heading any more: what stands there may be anybody's.
    private var unheaded: Set<Int> = []

    private let header: [String]
    private let within: Range<Int>
    /// The columns that show a name, exactly and without what nobody sees.
    private var exact: [String: [Int]] = [:]
    private var folded: [String: [Int]] = [:]
    /// The columns with marks of a digest.
    private var marked: [String: Set<Int>] = [:]
    /// The marks of columns that have another heading by now.
    private var renamed: [(column: Int, digest: String)] = []
    private var found: [String] = []

    /// Prepares a search.
    ///
    /// - Parameters:
    ///   - header: What each cell of the header's row shows.
    ///   - plain: The same without formats.
    ///   - table: The table in which the columns are looked for.
    init(header: [String], plain: [String], anchors: [ColumnAnchor], table: SheetTable?) {
        self.header = header
        hasMarks = !anchors.isEmpty
        within = table?.block.columns ?? 0..<Limits.columns
        for (index, name) in header.enumerated() where !name.isEmpty && within.contains(index) {
            exact[name, default: []].append(index)
            folded[HeaderName.folded(name), default: []].append(index)
        }
        for (index, name) in plain.enumerated() where !name.isEmpty && within.contains(index) && exact[name] == nil {
            exact[name] = [index]
        }
        for (column, anchors) in Dictionary(grouping: anchors, by: \.column) where within.contains(column) {
            let heading = column < header.count ? header[column] : ""
            let shown = [heading, column < plain.count ? plain[column] : ""].map(ColumnAnchor.digest)
            let fitting = anchors.filter { shown.contains($0.digest) }
            for anchor in fitting.isEmpty ? anchors : fitting { marked[anchor.digest, default: []].insert(column) }
            guard fitting.isEmpty else {
                if !heading.isEmpty { certain.insert(column) }
                continue
            }
            if heading.isEmpty {
                unheaded.insert(column)
            } else {
                renamed += anchors.prefix(1).map { (column, $0.digest) }
            }
        }
    }

    /// Finds the columns whose names are there; nil for the others.
    mutating func byName(_ columns: [Column], row: Int) throws(SheetModelError) -> [Int?] {
        var places = [Int?](repeating: nil, count: columns.count)
        var wanted: [String: Int] = [:]
        for column in columns { wanted[column.name, default: 0] += 1 }
        // Those with a mark first, so that no other column of the name is taken for one.
        for onlyMarked in [true, false] {
            for (index, column) in columns.enumerated() where places[index] == nil {
                let known = (marked[ColumnAnchor.digest(column.name)] ?? []).subtracting(unheaded)
                let place: Int
                if onlyMarked {
                    // One without a name has nothing but its mark.
                    let named = column.name.isEmpty ? known.sorted() : exact[column.name] ?? []
                    guard let own = named.first(where: { known.contains($0) && !taken.contains($0) }) else { continue }
                    place = own
                } else {
                    let alike = (exact[column.name] ?? []).filter { !taken.contains($0) }
                    guard known.isEmpty, !column.name.isEmpty, let next = alike.first else { continue }
                    guard alike.count <= wanted[column.name] ?? 0 else {
                        throw SheetModelError(
                            .header,
                            "row \(row + 1) of the sheet has more columns \(excerpt(column.name)) than the job, and nothing "
                                + "tells which of \(A1.letters(ofColumns: alike)) is the job's; rename the others")
                    }
                    place = next
                }
                places[index] = place
                taken.insert(place)
                wanted[column.name, default: 1] -= 1
            }
        }
        for (index, column) in columns.enumerated() where places[index] == nil && !column.name.isEmpty {
            let known = (marked[ColumnAnchor.digest(column.name)] ?? []).subtracting(unheaded)
            let alike = (folded[HeaderName.folded(column.name)] ?? []).filter {
                !taken.contains($0) && (known.isEmpty || known.contains($0))
            }
            guard alike.count == 1 else { continue }
            let place = alike[0]
            places[index] = place
            taken.insert(place)
            found.append(
                "the column \(excerpt(column.name)) was found as \(excerpt(header[place])): "
                    + HeaderName.difference(header[place], from: column.name))
        }
        return places
    }

    /// The columns that an earlier replacement wrote and that still have their names: the marked ones, and where there are no
    /// marks those whose name no other column has.
    func columns(of earlier: WrittenColumns?) -> Set<Int> {
        guard !hasMarks, let earlier else { return certain }
        let there = Dictionary(grouping: earlier.columns(in: header).filter(within.contains)) {
            ColumnAnchor.digest(header[$0])
        }
        return there.reduce(into: []) { ours, name in if name.value.count == 1 { ours.formUnion(name.value) } }
    }

    /// Gives columns whose heading is gone their place again.
    mutating func putBack(_ columns: [Column], into places: inout [Int?]) {
        for (index, column) in columns.enumerated() where places[index] == nil && !column.name.isEmpty {
            let known = marked[ColumnAnchor.digest(column.name)] ?? []
            guard let place = known.intersection(unheaded).subtracting(taken).min() else { continue }
            places[index] = place
            taken.insert(place)
            found.append(
                "the heading \(excerpt(column.name)) of column \(A1.letters(ofColumn: place)), which an earlier job wrote, was "
                    + "gone and is put back")
        }
    }

    /// What a reader should know: names that only look like the job's, and columns of the job that are called otherwise now.
    ///
    /// - Parameter places: Where the job's columns stand.
    func remarks(on columns: [Column], at places: [Int], earlier: WrittenColumns?) -> [String] {
        var remarks = found
        var told: Set<String> = []
        for (place, digest) in renamed.sorted(by: { $0.column < $1.column }) where !taken.contains(place) {
            let index = columns.firstIndex { !$0.name.isEmpty && ColumnAnchor.digest($0.name) == digest }
            let heading = excerpt(header[place])
            let was = index.map { " as \(excerpt(columns[$0].name))" } ?? ""
            let now = index.map { "; the job's column stands in \(A1.letters(ofColumn: places[$0])) now" } ?? ""
            remarks.append(
                "column \(A1.letters(ofColumn: place)), which an earlier job wrote\(was), is called \(heading) now, so that it is "
                    + "left alone with its old values\(now)")
            told.insert(digest)
        }
        for (index, column) in columns.enumerated() where earlier?.contains(column.name) == true {
            let digest = ColumnAnchor.digest(column.name)
            let isThere = places[index] < header.count && ColumnAnchor.digest(header[places[index]]) == digest
            guard !isThere, marked[digest] == nil, !told.contains(digest) else { continue }
            remarks.append(
                "the column \(excerpt(column.name)), which an earlier job wrote, is not there under this name any more; it "
                    + "stands in \(A1.letters(ofColumn: places[index])) now, and where it was renamed, its old values are left alone"
            )
        }
        return remarks
    }
}

extension A1 {
    /// The letters of some columns, such as `B, D`; of ten at most.
    static func letters(ofColumns columns: [Int]) -> String {
        columns.prefix(10).map { letters(ofColumn: $0) }.joined(separator: ", ")
    }
}

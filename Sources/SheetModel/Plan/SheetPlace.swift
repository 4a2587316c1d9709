public import JSON

/// Where the columns of a job stand in a sheet that other people use too; all else of the sheet is theirs.
public struct SheetPlace: Sendable, Hashable {
    /// The index of the row with the header; without a header, of the first row of data.
    public let row: Int
    /// The index in the sheet of each of the job's columns.
    public let columns: [Int]
    /// The job's columns whose names are still to be written.
    public let unnamed: [Int]
    /// The sheet's columns that an earlier replacement wrote and this one lacks.
    public let abandoned: [Int]
    /// Google's `NumberFormat` of each of the job's columns, as its first row of data has it.
    public var formats: [JSON?]
    /// The table that they stand in.
    public var table: SheetTable?
    /// Whether rows of the place may be hidden.
    public var mayHideRows = true
    /// The marks on the sheet's columns that earlier replacements left.
    public let anchors: [ColumnAnchor]
    /// What a reader should know of how the columns were found, in sentences without a full stop.
    public let remarks: [String]

    /// Finds each column by its name in the header, else by its place.
    ///
    /// Of several columns of one name the job's is the one with a mark. A column is in nobody's way: where its place belongs to
    /// another one, it stands to the right of all others.
    ///
    /// - Parameters:
    ///   - header: What each cell of the header's row shows; empty for an empty one.
    ///   - plain: The same without formats, such as 2026 for 2,026.
    ///   - below: What the rows below show, as far as that is known.
    ///   - used: The columns that hold anything below the header, as far as that is known.
    ///   - unknown: The columns of which that is not known.
    ///   - earlier: What an earlier replacement wrote.
    ///   - anchors: Where those columns are by now.
    ///   - otherTables: The tables that are not the job's; what stands in their columns is left alone.
    ///   - isOwn: Whether nobody else uses the sheet yet, so that each place is the job's.
    public init(
        of columns: [Column], hasHeader: Bool, row: Int, header: [String], plain: [String] = [], below: [[String]] = [],
        used: Set<Int> = [], unknown: Range<Int> = 0..<0, earlier: WrittenColumns? = nil, anchors: [ColumnAnchor] = [],
        table: SheetTable? = nil, otherTables: [SheetTable] = [], isOwn: Bool = false
    ) throws(SheetModelError) {
        self.row = row
        self.table = table
        self.anchors = anchors
        formats = Array(repeating: Optional.none, count: columns.count)
        guard hasHeader else {
            self.columns = Array(columns.indices)
            unnamed = []
            remarks = []
            abandoned = earlier?.columns(in: header).filter { $0 >= columns.count } ?? []
            return
        }
        var search = ColumnSearch(header: header, plain: plain, anchors: anchors, table: table)
        var places = try search.byName(columns, row: row)
        let unnamed = places.indices.filter { places[$0] == nil }
        self.unnamed = unnamed
        if let table, let missing = unnamed.first {
            throw SheetModelError(
                .header,
                "the table \(excerpt(table.name)) has no column \(excerpt(columns[missing].name)); add it there, or leave "
                    + "it out of the job")
        }
        let named = Set(columns.lazy.map(\.name).filter { !$0.isEmpty })
        if !unnamed.isEmpty, !named.isEmpty, let other = below.firstIndex(where: named.isSubset) {
            throw SheetModelError(
                .header,
                "row \(row + 2 + other) of the sheet has the names of this job's columns, and row \(row + 1), where its header should "
                    + "be, has not; name the header's row as header_row, or move it back")
        }
        var ours = search.columns(of: earlier)
        // Somebody has moved or renamed all that was written there, so that no place is known to be the job's.
        if !isOwn, earlier?.hasNames == true, ours.isEmpty, search.taken.isEmpty,
            !used.isEmpty || header.contains(where: { !$0.isEmpty })
        {
            throw SheetModelError(
                .header,
                "row \(row + 1) of the sheet has neither this job's columns nor those that an earlier job wrote there; put the "
                    + "header back, name its row as header_row, or make the sheet like new with reset")
        }
        ours = ours.filter { column in !otherTables.contains { $0.block.columns.contains(column) } }
        let isShared = !isOwn && (!search.taken.isEmpty || earlier?.hasNames == true && !ours.isEmpty)
        search.putBack(columns, into: &places)
        func isFree(_ place: Int) -> Bool {
            guard !search.taken.contains(place) else { return false }
            if !isShared || ours.contains(place) { return true }
            return (place < header.count ? header[place].isEmpty : true) && !used.contains(place)
                && !unknown.contains(place)
        }
        let first = table?.block.columns.lowerBound ?? 0
        for index in unnamed where places[index] == nil {
            var place = first + index
            if !isFree(place) {
                let last = max(
                    header.lastIndex { !$0.isEmpty } ?? -1, used.max() ?? -1, search.taken.max() ?? -1,
                    unknown.upperBound - 1)
                place = ours.subtracting(search.taken).min() ?? last + 1
            }
            places[index] = place
            search.taken.insert(place)
        }
        self.columns = places.map { $0 ?? 0 }
        // Without marks a second column of the same name is somebody's own.
        let own = search.hasMarks ? [] : Set(columns.map { HeaderName.folded($0.name) })
        let abandoned = ours.subtracting(search.taken).filter { index in
            index >= header.count || !own.contains(HeaderName.folded(header[index]))
        }.sorted()
        self.abandoned = abandoned
        remarks =
            search.remarks(on: columns, at: self.columns, earlier: isOwn ? nil : earlier)
            + (isOwn || abandoned.isEmpty
                ? []
                : [
                    "\(abandoned.count == 1 ? "column" : "columns") \(A1.letters(ofColumns: abandoned)), which an earlier job wrote "
                        + "and this one lacks, \(abandoned.count == 1 ? "is" : "are") emptied"
                ])
    }

    /// Columns without names of their own, with data from a row on.
    init(row: Int, columns: [Int]) {
        self.row = row
        self.columns = columns
        (unnamed, abandoned, anchors, remarks, table) = ([], [], [], [], nil)
        formats = Array(repeating: Optional.none, count: columns.count)
    }

    /// The columns of a sheet that is the job's from its first cell on.
    init(inOrder count: Int, hasHeader: Bool) {
        row = 0
        columns = Array(0..<count)
        unnamed = hasHeader ? columns : []
        abandoned = []
        formats = Array(repeating: Optional.none, count: count)
        table = nil
        anchors = []
        remarks = []
    }

    /// How many columns the sheet must have.
    var width: Int { (columns.max() ?? -1) + 1 }

    /// Columns of the job in runs that are neighbours in the sheet, from left to right; each with the place of its first.
    func runs(of chosen: [Int]? = nil, together: (Int, Int) -> Bool = { _, _ in true }) -> [Run] {
        var runs: [Run] = []
        for column in (chosen ?? Array(columns.indices)).sorted(by: { columns[$0] < columns[$1] }) {
            if let last = runs.last, last.place + last.columns.count == columns[column],
                together(last.columns[0], column)
            {
                runs[runs.count - 1].columns.append(column)
            } else {
                runs.append(Run(place: columns[column], columns: [column]))
            }
        }
        return runs
    }

    /// Columns of the job that are neighbours in the sheet.
    struct Run: Sendable, Hashable {
        /// The index in the sheet of the first.
        let place: Int
        /// Their indices in the job.
        var columns: [Int]

        /// Their indices in the sheet.
        var range: Range<Int> { place..<place + columns.count }
    }
}

/// Which columns of a sheet a replacement wrote, short enough for a note on the sheet.
///
/// A column is known by a digest of the name in its header, so that it may be moved; without a header by its place.
public struct WrittenColumns: Sendable, Hashable {
    /// More columns than these are not noted: Google takes 30,000 characters on a sheet.
    public static let most = 2_000

    let digests: Set<String>
    private let width: Int

    /// Notes the columns of a job; nil for too many.
    public init?(_ columns: [Column], hasHeader: Bool) {
        guard columns.count <= Self.most else { return nil }
        digests = hasHeader ? Set(columns.map(\.name).filter { !$0.isEmpty }.map(Self.digest)) : []
        width = hasHeader ? 0 : columns.count
    }

    /// Reads a note; nil for what is none.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: true)
        guard parts.count <= Self.most, parts.allSatisfy({ $0.utf8.count <= 8 }) else { return nil }
        if let first = parts.first, first.utf8.first == UInt8(ascii: "w") {
            guard parts.count == 1, let width = Int(first.dropFirst()), (0...Self.most).contains(width) else {
                return nil
            }
            (digests, self.width) = ([], width)
        } else {
            (digests, width) = (Set(parts.map { String($0) }), 0)
        }
    }

    /// The note.
    public var text: String { width > 0 ? "w\(width)" : digests.sorted().joined(separator: ".") }

    /// Whether columns are known by their names.
    var hasNames: Bool { !digests.isEmpty }

    /// Whether a column of this name was written.
    func contains(_ name: String) -> Bool { digests.contains(Self.digest(name)) }

    /// What both wrote.
    public func union(_ other: WrittenColumns) -> WrittenColumns {
        WrittenColumns(digests: digests.union(other.digests), width: max(width, other.width))
    }

    private init(digests: Set<String>, width: Int) {
        self.digests = digests
        self.width = width
    }

    /// The indices of the columns that are there, from left to right.
    func columns(in header: [String]) -> [Int] {
        guard width == 0 || !digests.isEmpty else { return Array(0..<width) }
        return header.indices.filter { !header[$0].isEmpty && digests.contains(Self.digest(header[$0])) }
    }

    /// FNV-1a of 32 bits over the folded name, in hexadecimal.
    static func digest(_ name: String) -> String {
        var hash: UInt32 = 0x811c_9dc5
        for byte in HeaderName.folded(name).utf8 { hash = (hash ^ UInt32(byte)) &* 0x0100_0193 }
        return String(hash, radix: 16)
    }
}

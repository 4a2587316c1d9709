/// The spreadsheet that a plan writes into.
public enum PlanTarget: Sendable, Hashable {
    /// One that the plan makes whole; the sheets are those that Google or a lost attempt put there.
    ///
    /// The first sheet of the plan takes over the first one there. The ids of all others are the same each time, so that
    /// sheets of a lost attempt are recognised.
    case new([ExistingSheet])
    /// One that the plan makes whole from sheets with ids of their own, in place of those that a lost attempt put there.
    ///
    /// What that attempt has sent and Google gets to later finds no sheet any more.
    case renewed([ExistingSheet])
    /// Somebody's own: sheets of the same name are taken over, missing ones are added, the rest is left alone.
    case existing([ExistingSheet])
    /// One whose sheets an earlier run of the same plan made, by their ids: only rows are written.
    case prepared([Int])

    /// What `drive.files.create` makes.
    public static let empty = PlanTarget.new([.ofNewSpreadsheet])

    /// The sheets that are there and stay; of a prepared target none, since nothing of them matters any more.
    public var sheets: [ExistingSheet] {
        switch self {
        case .new(let sheets), .existing(let sheets): sheets
        case .prepared, .renewed: []
        }
    }

    /// The sheets that go when the new ones are there: a spreadsheet is never without any.
    var retired: [ExistingSheet] {
        if case .renewed(let sheets) = self { sheets } else { [] }
    }

    /// Who filled the sheets that are there.
    var origin: SheetLayout.Origin {
        switch self {
        case .empty: .nobody
        case .new, .prepared, .renewed: .attempt
        case .existing: .foreign
        }
    }

    /// Ids for so many sheets, drawn so that neither a sheet nor any earlier attempt has them.
    public static func newIDs(_ count: Int, besides others: [Int]) -> [Int] {
        var taken = Set(others)
        return (0..<count).map { _ in
            while true {
                let id = Int.random(in: 1 << 24..<Int(Int32.max))
                if taken.insert(id).inserted { return id }
            }
        }
    }

    /// The id of each sheet of a plan.
    func ids(for sheets: [CheckedSheet]) -> [Int] {
        switch self {
        case .new(let existing):
            let first = existing.first?.id ?? 0
            return [first] + (1...sheets.count).filter { $0 != first }.prefix(sheets.count - 1)
        case .renewed(let existing): return Self.newIDs(sheets.count, besides: existing.map(\.id))
        case .existing(let existing):
            let byName = Dictionary(
                existing.map { ($0.title.lowercased(), $0.id) }, uniquingKeysWith: { one, _ in one })
            var taken = Set(existing.map(\.id))
            var next = 1
            return sheets.map { sheet in
                if let id = byName[sheet.name.lowercased()] { return id }
                while !taken.insert(next).inserted { next += 1 }
                return next
            }
        case .prepared(let ids): return ids
        }
    }
}

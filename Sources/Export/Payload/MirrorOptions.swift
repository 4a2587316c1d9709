import JSON
import SheetModel

/// How a sheet is kept the same as a job's rows.
public struct MirrorOptions: Sendable, Hashable {
    /// How many rows may be deleted at a time.
    enum MostDeletes: Sendable, Hashable {
        case rows(Int)
        /// Of the rows that were written the last time, where those are at least so many.
        case percent(Double, from: Int)

        /// How many of some rows may be deleted.
        func count(of rows: Int) -> Int {
            switch self {
            case .rows(let most): most
            case .percent(let percent, let least): rows < least ? rows : Int(Double(rows) * percent / 100)
            }
        }
    }

    /// The names of the columns that make the key.
    let key: [String]
    let onDelete: MirrorComparison.OnDelete
    let onEdit: MirrorComparison.OnEdit
    /// Whether columns that the header lacks are added to it.
    let addsColumns: Bool
    let mostDeletes: MostDeletes
    /// Whether no rows at all are taken for what they say.
    let allowsEmpty: Bool
    /// Whether the first cell of the header says how fresh the rows are.
    let hasNote: Bool

    /// The members of a sheet that say it.
    static let names = ["on_delete", "on_edit", "new_columns", "max_deletes", "allow_empty", "note"]

    /// Reads them.
    init(_ object: PayloadObject, key: [String]) throws(PayloadError) {
        func choice<Choice: RawRepresentable<String> & CaseIterable>(
            _ name: String, _ usual: Choice
        ) throws(PayloadError) -> Choice {
            guard let text = try object.string(name) else { return usual }
            guard let choice = Choice(rawValue: text) else {
                let names = Choice.allCases.map(\.rawValue).joined(separator: " or ")
                throw PayloadError(at: object.path(of: name), "expected \(names)")
            }
            return choice
        }
        self.key = key
        onDelete = try choice("on_delete", .delete)
        onEdit = try choice("on_edit", .overwrite)
        addsColumns = try choice("new_columns", NewColumns.refuse) == .add
        allowsEmpty = try object.boolean("allow_empty") ?? false
        hasNote = try object.boolean("note") ?? true
        mostDeletes = try Self.mostDeletes(object)
    }

    private enum NewColumns: String, CaseIterable {
        case refuse, add
    }

    private static func mostDeletes(_ object: PayloadObject) throws(PayloadError) -> MostDeletes {
        switch object["max_deletes"] {
        case nil: return .percent(20, from: 20)
        case .number(let number)?:
            if let rows = number.int, (0...Limits.cells).contains(rows) { return .rows(rows) }
        case .string(let text)?:
            let digits = text.hasSuffix("%") ? text.dropLast() : ""
            if text.utf8.count <= 10, digits.allSatisfy({ $0.isASCII && $0.isNumber || $0 == "." }),
                let percent = Double(digits), (0...100).contains(percent)
            {
                return .percent(percent, from: 0)
            }
        default: break
        }
        throw PayloadError(
            at: object.path(of: "max_deletes"), "expected a number of rows, or a share of them such as \"20%\"")
    }

    /// Refuses them in a sheet of another mode.
    static func refuse(in object: PayloadObject) throws(PayloadError) {
        for name in names where object[name] != nil {
            throw PayloadError(at: object.path(of: name), "goes with the mode mirror alone")
        }
    }
}

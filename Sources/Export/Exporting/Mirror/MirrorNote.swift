import Arithmetic
import Google
import SheetModel

/// What the first cell of a mirror's header tells whoever reads the sheet: how many rows there are, and of when.
struct MirrorNote: Sendable {
    private static let mark = "SheetSync: "

    /// The line itself.
    let line: String

    /// - Parameter timeZone: The name of the zone in which the spreadsheet shows times.
    init(rows: Int, timeZone: String?, at moment: Timestamp = .now()) {
        let zone = timeZone.flatMap { try? TimeZoneRules(named: $0) } ?? .utc
        let seconds = moment.seconds + zone.offset(at: Int64(moment.seconds))
        let day = CivilDate(daysSinceEpoch: seconds / 86_400)
        let minutes = seconds % 86_400 / 60
        let name = zone.googleName == TimeZoneRules.utc.googleName ? "UTC" : zone.googleName
        line =
            "\(Self.mark)\(rows.grouped) \(rows == 1 ? "row" : "rows"), as of \(day.iso8601) "
            + "\((minutes / 60).padded(to: 2)):\((minutes % 60).padded(to: 2)) \(name)"
    }

    /// The line below what else the cell's note says.
    func text(beside note: String) -> String {
        let others = Self.others(in: note)
        return others.isEmpty ? line : "\(others)\n\(line)"
    }

    /// What a note says beside such a line.
    static func others(in note: String) -> String {
        var lines = note.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.last?.hasPrefix(mark) == true else { return note }
        lines.removeLast()
        return lines.joined(separator: "\n")
    }
}

extension SheetMode {
    /// The sheet with a note on how fresh it is, where that is asked for.
    func noted(_ sheet: CheckedSheet, timeZone: String?) -> CheckedSheet {
        guard case .mirror(let options) = self, options.hasNote else { return sheet }
        let note = MirrorNote(rows: sheet.rows.count, timeZone: timeZone)
        return sheet.noting(note.text(beside: sheet.columns.first?.note ?? ""))
    }
}

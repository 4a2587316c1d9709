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
        let others = note.split(separator: "\n", omittingEmptySubsequences: false).filter { !$0.hasPrefix(Self.mark) }
        return (others.filter { !$0.isEmpty } + [line[...]]).joined(separator: "\n")
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

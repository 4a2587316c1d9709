import SheetModel

/// The sheets of a job, parted into those that one plan replaces and those that keep their rows.
struct SheetsByMode {
    let replaced: Spreadsheet
    /// Of the replaced ones, where their rows belong.
    let replacedPositions: [(sheet: CheckedSheet, index: Int, position: SheetPosition)]
    let incremental: [IncrementalSheet]

    /// Parts the sheets; of a new spreadsheet none keeps any rows, for there are none.
    ///
    /// - Parameter template: The formats of a sheet that has none yet.
    init(
        _ spreadsheet: Spreadsheet, of payload: ExportPayload, template: FormattingTemplate?, batchBytes: Int
    ) {
        let all = payload.modes.indices
        let isNew = if case .new(_, _, copyOf: nil) = payload.destination { true } else { false }
        let replacing = all.filter { payload.modes[$0] == .replace }
        replaced =
            isNew
            ? spreadsheet.replacing { payload.modes[$0].noted($1, timeZone: spreadsheet.timeZone?.googleName) }
            : spreadsheet.keeping { payload.modes[$0] == .replace }
        replacedPositions = zip(replaced.sheets, replacing).map { ($0, $1, payload.positions[$1]) }
        incremental =
            isNew
            ? []
            : all.filter { payload.modes[$0] != .replace }.map { index in
                IncrementalSheet(
                    index: index, sheet: spreadsheet.sheets[index], mode: payload.modes[index],
                    position: payload.positions[index],
                    isQueried: payload.queries.contains { $0.index == index }, template: template,
                    batchBytes: batchBytes)
            }
    }
}

import SheetModel

/// What a mirror tells the reader of its result.
extension SheetMirror {
    /// What a reader should know where nothing is known of the rows that earlier jobs wrote.
    func newBase(_ record: MirrorMemory.Record?, _ known: [MirrorMemory.Record], _ found: Found) -> String? {
        let stay = "a new base begins: rows that only earlier runs wrote stay"
        if let record {
            guard record.sheetID != found.existing.id else { return nil }
            return "sheet \"\(job.sheet.name)\": it is another one than that which was kept, so that \(stay)"
        }
        guard !known.isEmpty else { return nil }
        return
            "sheet \"\(job.sheet.name)\": the columns, the key or the header's place are others than those of the last mirror there, so "
            + "that \(stay)"
    }

    func warnings(_ comparison: MirrorComparison, _ found: Found) -> [String] {
        func rows(_ count: Int) -> String { count == 1 ? "1 row" : "\(count.grouped) rows" }
        var warnings: [String] = []
        if !found.unnamed.isEmpty {
            let names = found.unnamed.map { excerpt(job.sheet.columns[$0].name) }.joined(separator: ", ")
            warnings.append(
                "the header lacked \(names), which is added at the right; if a column was renamed, it is there twice now"
            )
        }
        if comparison.adopted > 0 {
            warnings.append(
                "\(rows(comparison.adopted)) with keys of this job stood there already and got its values; from now on the job "
                    + "keeps them, and deletes them where they leave")
        }
        if comparison.corrected > 0 {
            warnings.append(
                "people had changed cells of \(rows(comparison.corrected)) that this job keeps; they have the job's values again"
            )
        }
        if comparison.repeated > 0 {
            warnings.append(
                "\(rows(comparison.repeated)) of the sheet \(comparison.repeated == 1 ? "has" : "have") the key of an earlier one; only "
                    + "the first of each key is brought up to date")
        }
        return warnings.map { "sheet \"\(job.sheet.name)\": \($0)" }
    }

    func mended(_ slips: Int) -> String {
        "sheet \"\(job.sheet.name)\": somebody moved rows or columns in the moment of the write\(slips == 1 ? "" : " (\(slips) times)"); "
            + "what it changed in the wrong places was put right at once"
    }
}

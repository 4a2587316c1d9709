import JSON

/// The requests about groups of rows and columns.
enum DimensionGroupRequests {
    @Sendable static func addDimensionGroup(_ request: JSON, _ spreadsheet: inout Spreadsheet) throws(RequestError)
        -> JSON
    {
        let (sheet, isRows, range) = try DimensionRequests.span(request["range"] ?? [:], spreadsheet)
        var groups = groups(sheet, isRows, spreadsheet)
        guard !groups.contains(where: { $0.range.overlaps(range) && !nests($0.range, range) }) else {
            throw RequestError("Dimension groups may not overlap in part.")
        }
        let depth = 1 + groups.filter { $0.range.contains(range) }.count
        guard depth <= 8 else { throw RequestError("Groups can be nested 8 deep at most.") }
        for index in groups.indices where range.contains(groups[index].range) && groups[index].range != range {
            groups[index].depth += 1
        }
        groups.append(DimensionGroup(range: range, depth: depth))
        set(groups, sheet, isRows, &spreadsheet)
        // A sheet's first group decides on which side the control stands.
        spreadsheet.sheets[sheet].gridProperties[isRows ? "rowGroupControlAfter" : "columnGroupControlAfter"] = true
        return ["addDimensionGroup": reply(sheet, isRows, spreadsheet)]
    }

    @Sendable static func deleteDimensionGroup(_ request: JSON, _ spreadsheet: inout Spreadsheet) throws(RequestError)
        -> JSON
    {
        let (sheet, isRows, range) = try DimensionRequests.span(request["range"] ?? [:], spreadsheet)
        var groups = groups(sheet, isRows, spreadsheet)
        let touched = groups.filter { $0.range.overlaps(range) }
        guard let deepest = touched.map(\.depth).max() else {
            throw RequestError("No dimension group found in the given range.")
        }
        // What lies in the range loses one level; what reaches out of it stays there.
        var result: [DimensionGroup] = []
        for group in groups {
            guard group.depth == deepest, group.range.overlaps(range) else {
                result.append(group)
                continue
            }
            for rest in [
                group.range.lowerBound..<max(group.range.lowerBound, range.lowerBound),
                min(group.range.upperBound, range.upperBound)..<group.range.upperBound,
            ] where !rest.isEmpty {
                result.append(DimensionGroup(range: rest, depth: group.depth, isCollapsed: group.isCollapsed))
            }
        }
        groups = result
        set(groups, sheet, isRows, &spreadsheet)
        return ["deleteDimensionGroup": reply(sheet, isRows, spreadsheet)]
    }

    @Sendable static func updateDimensionGroup(_ request: JSON, _ spreadsheet: inout Spreadsheet) throws(RequestError)
        -> JSON
    {
        _ = try BatchUpdate.fields(request, of: "DimensionGroup")
        let json = request["dimensionGroup"] ?? [:]
        let (sheet, isRows, range) = try DimensionRequests.span(json["range"] ?? [:], spreadsheet)
        var groups = groups(sheet, isRows, spreadsheet)
        let depth = json["depth"]?.int ?? 1
        guard let index = groups.firstIndex(where: { $0.range == range && $0.depth == depth }) else {
            throw RequestError("No dimension group found with the given range and depth.")
        }
        groups[index].isCollapsed = json["collapsed"]?.bool == true
        set(groups, sheet, isRows, &spreadsheet)
        return [:]
    }

    private static func nests(_ first: Range<Int>, _ second: Range<Int>) -> Bool {
        first.contains(second) || second.contains(first)
    }

    private static func groups(_ sheet: Int, _ isRows: Bool, _ spreadsheet: Spreadsheet) -> [DimensionGroup] {
        isRows ? spreadsheet.sheets[sheet].rowGroups : spreadsheet.sheets[sheet].columnGroups
    }

    private static func set(
        _ groups: [DimensionGroup], _ sheet: Int, _ isRows: Bool, _ spreadsheet: inout Spreadsheet
    ) {
        let sorted = groups.sorted { ($0.depth, $0.range.lowerBound) < ($1.depth, $1.range.lowerBound) }
        if isRows {
            spreadsheet.sheets[sheet].rowGroups = sorted
        } else {
            spreadsheet.sheets[sheet].columnGroups = sorted
        }
    }

    private static func reply(_ sheet: Int, _ isRows: Bool, _ spreadsheet: Spreadsheet) -> JSON {
        let id = spreadsheet.sheets[sheet].id
        let groups = groups(sheet, isRows, spreadsheet).map { $0.json(sheetID: id, isRows: isRows) }
        return groups.isEmpty ? [:] : ["dimensionGroups": .array(groups)]
    }
}

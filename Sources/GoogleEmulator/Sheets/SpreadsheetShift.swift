import JSON

extension Spreadsheet {
    /// Lets rows or columns of a sheet come, go or move, with all that hangs on them.
    mutating func apply(_ shift: DimensionShift, toSheet index: Int) {
        sheets[index].apply(shift)
        follow(shift, ofSheet: index)
    }

    /// Lets what refers to cells of a sheet follow them.
    mutating func follow(_ shift: DimensionShift, ofSheet index: Int) {
        let id = sheets[index].id
        namedRanges = namedRanges.compactMap { named in
            named.mappingRanges { $0.sheetID == id ? shift.range($0) : $0 }
        }
        developerMetadata = developerMetadata.compactMap { $0.shifted(by: shift, sheetID: id) }
        let title = sheets[index].title
        for other in sheets.indices where sheets[other].grid.hasFormulas {
            sheets[other].grid.mapFormulas {
                FormulaReferences.shifted($0, by: shift, title: title, isOwn: other == index)
            }
        }
    }
}

extension Sheet {
    fileprivate mutating func apply(_ shift: DimensionShift) {
        switch (shift.kind, shift.isRows) {
        case (.insert(let place, let count), true):
            grid.replace(place..<place, with: [Grid.Row](repeating: Grid.Row(), count: count))
        case (.insert(let place, let count), false): grid.replaceColumns(place..<place, count: count)
        case (.delete(let range), true): grid.replace(range, with: [])
        case (.delete(let range), false): grid.replaceColumns(range, count: 0)
        case (.move(let range, let target), true):
            let rows = grid.part(range)
            grid.replace(range, with: [])
            let place = target > range.lowerBound ? target - range.count : target
            grid.replace(place..<place, with: rows)
        case (.move(let range, let target), false):
            let place = target > range.lowerBound ? target - range.count : target
            grid.changeRows { row in
                let part = row.part(range)
                row.replace(range, with: Grid.Row(), count: 0)
                row.replace(place..<place, with: part, count: range.count)
            }
        }
        mapRanges(shift.range)
        if shift.isRows {
            rowProperties = Self.shifted(rowProperties, shift)
            rowGroups = rowGroups.compactMap { $0.shifted(by: shift) }
            shiftFrozen("frozenRowCount", shift)
        } else {
            columnProperties = Self.shifted(columnProperties, shift)
            columnGroups = columnGroups.compactMap { $0.shifted(by: shift) }
            shiftFrozen("frozenColumnCount", shift)
        }
    }

    private static func shifted(_ properties: [Int: JSONObject], _ shift: DimensionShift) -> [Int: JSONObject] {
        properties.reduce(into: [:]) { result, entry in
            if let position = shift.position(entry.key) { result[position] = entry.value }
        }
    }

    private mutating func shiftFrozen(_ name: String, _ shift: DimensionShift) {
        guard let count = gridProperties[name]?.int, count > 0 else { return }
        if case .move = shift.kind { return }
        let span = shift.span(0..<count)
        gridProperties[name] = span.map { JSON($0.upperBound) }
    }
}

extension DimensionGroup {
    fileprivate func shifted(by shift: DimensionShift) -> DimensionGroup? {
        guard let range = shift.span(range) else { return nil }
        var group = self
        group.range = range
        return group
    }
}

extension DeveloperMetadata {
    fileprivate func shifted(by shift: DimensionShift, sheetID: Int) -> DeveloperMetadata? {
        var metadata = self
        switch location {
        case .row(sheetID, let index) where shift.isRows:
            guard let position = shift.position(index) else { return nil }
            metadata.location = .row(sheetID: sheetID, index: position)
        case .column(sheetID, let index) where !shift.isRows:
            guard let position = shift.position(index) else { return nil }
            metadata.location = .column(sheetID: sheetID, index: position)
        default: break
        }
        return metadata
    }
}

extension Grid {
    /// Whether any cell holds a formula.
    var hasFormulas: Bool {
        (0..<usedRowCount).contains { row in
            self[row].cells.contains { if case .formula = $0.value { true } else { false } }
        }
    }

    /// Changes each formula.
    mutating func mapFormulas(_ change: (String) -> String) {
        changeRows { row in
            for column in row.cells.indices {
                guard case .formula(let text) = row.cells[column].value else { continue }
                row[column].value = .formula(change(text))
            }
        }
    }
}

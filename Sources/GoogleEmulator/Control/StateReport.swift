import JSON

/// What the emulator holds, as its controls show it.
enum StateReport {
    /// All files and spreadsheets.
    ///
    /// - Parameters:
    ///   - spreadsheetID: the one spreadsheet to show; nil for all
    ///   - showsValues: whether to show what was entered into the cells
    ///   - formatRanges: the ranges in A1 notation whose formats to show
    static func json(_ world: World, spreadsheetID: String?, showsValues: Bool, formatRanges: [String]) -> JSON {
        let files = world.drive.files.values.sorted { ($0.createdTime, $0.id) < ($1.createdTime, $1.id) }
        let spreadsheets = files.compactMap { world.spreadsheets[$0.id] }.filter {
            spreadsheetID == nil || $0.id == spreadsheetID
        }
        return [
            "files": .array(files.map { file($0, world.drive) }),
            "spreadsheets": .array(
                spreadsheets.map { spreadsheet in
                    [
                        "id": .string(spreadsheet.id), "title": .string(spreadsheet.title),
                        "locale": .string(spreadsheet.locale), "time_zone": .string(spreadsheet.timeZone),
                        "cells": JSON(spreadsheet.cellCount),
                        "developer_metadata": .array(spreadsheet.developerMetadata.map(\.json)),
                        "sheets": .array(spreadsheet.sheets.map { sheet($0, showsValues) }),
                        "formats": formats(formatRanges, spreadsheet),
                    ]
                }),
        ]
    }

    private static func file(_ file: DriveFile, _ drive: DriveStore) -> JSON {
        var object = JSONObject()
        object["id"] = .string(file.id)
        object["name"] = .string(file.name)
        object["mime_type"] = .string(file.mimeType)
        object["parent"] = JSON(file.parent)
        object["trashed"] = JSON(drive.isTrashed(file))
        object["drive_id"] = JSON(file.driveID)
        object["owner"] = .string(file.owner)
        object["created"] = .string(file.createdTime.rfc3339)
        object["app_properties"] = .object(
            JSONObject(
                file.appProperties.sorted { $0.key < $1.key }.map { .init(name: $0.key, value: .string($0.value)) }))
        return .object(object)
    }

    private static func sheet(_ sheet: Sheet, _ showsValues: Bool) -> JSON {
        var object = JSONObject()
        object["id"] = JSON(sheet.id)
        object["title"] = .string(sheet.title)
        object["rows"] = JSON(sheet.grid.rowCount)
        object["columns"] = JSON(sheet.grid.columnCount)
        object["used_rows"] = JSON(sheet.grid.usedRowCount)
        object["used_columns"] = JSON(sheet.grid.usedColumnCount)
        object["frozen_rows"] = JSON(sheet.frozenRowCount)
        object["frozen_columns"] = JSON(sheet.frozenColumnCount)
        object["hidden"] = JSON(sheet.isHidden)
        object["bandings"] = .array(sheet.bandings.map(\.json))
        object["basic_filter"] = sheet.basicFilter.map(JSON.object) ?? JSON.null
        object["column_widths"] = .array((0..<sheet.grid.usedColumnCount).map { JSON(sheet.width(ofColumn: $0)) })
        if showsValues { object["values"] = .array((0..<sheet.grid.usedRowCount).map { row(sheet.grid[$0]) }) }
        return .object(object)
    }

    /// A row's values by their JSON types; a formula stands in an object of its own.
    private static func row(_ row: Grid.Row) -> JSON {
        .array(
            row.cells.map { cell in
                switch cell.value {
                case .empty: nil
                case .number(let number): JSON(number)
                case .text(let text): .string(text)
                case .boolean(let value): JSON(value)
                case .formula(let text): ["formula": .string(text)]
                }
            })
    }

    /// The formats of ranges, as rows of `userEnteredFormat`, by the ranges' names.
    private static func formats(_ names: [String], _ spreadsheet: Spreadsheet) -> JSON {
        var object = JSONObject()
        for name in names {
            guard let range = A1.range(name, in: spreadsheet), let index = spreadsheet.index(ofSheet: range.sheetID)
            else {
                object[name] = .some(nil)
                continue
            }
            let grid = spreadsheet.sheets[index].grid
            let columns = range.columns(in: grid)
            object[name] = .array(
                range.rows(in: grid).map { row in
                    let row = grid[row]
                    return .array(columns.map { .object(spreadsheet.formats[row[$0].format]) })
                })
        }
        return .object(object)
    }
}

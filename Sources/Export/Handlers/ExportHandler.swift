import Google
public import JSON
public import JobQueue
import SheetModel

/// Runs jobs of kind `export`: makes a spreadsheet and fills it.
///
/// For a folder that is known it takes one call to Drive and one to Sheets (more where the data is larger than one batch). The
/// spreadsheet carries the job's mark. A job that some worker has had before looks for its mark first and goes on with
/// what it finds, because Drive takes no ids made beforehand for spreadsheets.
public struct ExportHandler: JobHandler {
    private static let markName = "sheetsync_job"

    private let workspace: Workspace
    private let folders: FolderDirectory
    private let batchBytes: Int

    /// Makes a handler.
    ///
    /// - Parameter batchBytes: The size that one write's body grows to; Google has been seen to take 9 MB.
    public init(workspace: Workspace, folders: FolderDirectory, batchBytes: Int = 8_000_000) {
        self.workspace = workspace
        self.folders = folders
        self.batchBytes = batchBytes
    }

    /// Makes and fills the spreadsheet and returns its id, address, sheets and what is worth a warning.
    public func run(_ job: Job, reporting progress: ProgressReporter) async throws -> JSON {
        try await failingAsJob {
            let payload = try ExportPayload(job.payload)
            let (drive, sheets, calls) = workspace.clients()
            let folder = try await self.folder(of: payload, using: drive)
            let (file, target) = try await spreadsheet(for: job, payload, in: folder, drive, sheets)
            let plan = try self.plan(payload, target)
            try await write(plan, to: file.id, using: sheets, reporting: progress)
            return result(file, folder, plan, calls: calls.total)
        }
    }

    private func folder(of payload: ExportPayload, using drive: DriveClient) async throws -> String? {
        let configuration = workspace.configuration
        switch payload.folder {
        case .id(let id)?: return id
        case .path(let path)? where configuration.foldersEnabled:
            return try await folders.find(configuration.defaultFolder + path.names, using: drive)
        case nil where configuration.foldersEnabled:
            return try await folders.find(configuration.defaultFolder, using: drive)
        case .path, nil: return nil
        }
    }

    /// The spreadsheet of a job, found by its mark or new, and the sheets that are there.
    private func spreadsheet(
        for job: Job, _ payload: ExportPayload, in folder: String?, _ drive: DriveClient, _ sheets: SheetsClient
    ) async throws -> (DriveFile, [ExistingSheet]) {
        let mark = "\(workspace.configuration.installation)/\(job.id)"
        let parent = folder ?? workspace.configuration.sharedDriveID ?? "root"
        if job.isRedelivered {
            // By parent, because only that search is up to date at once.
            let made = try await drive.list(
                .parent(parent) && .mimeType(DriveFile.spreadsheetType) && .trashed(false)
            ).first { $0.appProperties[Self.markName] == mark }
            if let made { return (made, try await existingSheets(of: made.id, using: sheets)) }
        }
        do throws(GoogleError) {
            let file = try await drive.createSpreadsheet(
                name: payload.title, parent: folder, appProperties: [Self.markName: mark])
            return (file, [.ofNewSpreadsheet])
        } catch {
            guard error.code == .notFound, let folder, payload.folder != .id(folder) else { throw error }
            try await folders.forget(folder)
            throw JobFailure(
                code: error.code.rawValue,
                message:
                    "The folder \(folder), in which the spreadsheet should be made, is gone; it is looked for anew.",
                retry: .backoff)
        }
    }

    private func existingSheets(of id: String, using sheets: SheetsClient) async throws -> [ExistingSheet] {
        let spreadsheet = try await sheets.spreadsheet(
            id,
            fields: "sheets(properties(sheetId,title,gridProperties(rowCount,columnCount)),bandedRanges(bandedRangeId))"
        )
        return (spreadsheet["sheets"]?.array ?? []).map { sheet in
            let properties = sheet["properties"]
            let grid = properties?["gridProperties"]
            return ExistingSheet(
                id: properties?["sheetId"]?.int ?? 0, title: properties?["title"]?.string ?? "",
                rows: grid?["rowCount"]?.int ?? 0, columns: grid?["columnCount"]?.int ?? 0,
                bandingIDs: (sheet["bandedRanges"]?.array ?? []).compactMap { $0["bandedRangeId"]?.int })
        }
    }

    private func plan(_ payload: ExportPayload, _ target: [ExistingSheet]) throws -> SpreadsheetPlan {
        do throws(SheetModelError) {
            return try SpreadsheetPlan(payload.spreadsheet, target: target, batchBytes: batchBytes)
        } catch {
            throw JobFailure(code: "payload.invalid", message: error.description, retry: .never)
        }
    }

    private func write(
        _ plan: SpreadsheetPlan, to id: String, using sheets: SheetsClient, reporting progress: ProgressReporter
    ) async throws {
        let total = plan.sheets.reduce(0) { $0 + $1.rows }
        var done = 0
        var batches = plan.batches()
        var next = try batches.next()
        while let batch = next {
            _ = try await sheets.batchUpdate(id, body: batch.body)
            done += batch.rows
            next = try batches.next()
            // The last batch ends the job, which says more.
            if next != nil { await progress("writing", rowsDone: done, of: total) }
        }
    }

    private func result(_ file: DriveFile, _ folder: String?, _ plan: SpreadsheetPlan, calls: Int) -> JSON {
        // Drive's link says where it was given out (?usp=drivesdk); the address works without.
        let url = file.webViewLink.map { String($0.prefix { $0 != "?" }) }
        return [
            "spreadsheet_id": .string(file.id),
            "spreadsheet_url": .string(url ?? "https://docs.google.com/spreadsheets/d/\(file.id)/edit"),
            "folder_id": JSON(folder), "folder_url": JSON(folder.map(workspace.url(ofFolder:))),
            "sheets": .array(
                plan.sheets.map { sheet in
                    [
                        "name": .string(sheet.name), "sheet_id": JSON(sheet.id), "rows": JSON(sheet.rows),
                        "columns": JSON(sheet.columns),
                    ]
                }),
            "cells": JSON(plan.cells), "api_calls": JSON(calls),
            "warnings": .array(plan.warnings.map { .string($0.description) }),
        ]
    }
}

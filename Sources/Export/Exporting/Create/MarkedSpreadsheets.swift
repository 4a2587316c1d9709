import Google

/// The live spreadsheets in Drive that carry one job's mark.
struct MarkedSpreadsheets {
    let mark: SpreadsheetMark
    let workspace: Workspace
    let drive: DriveClient

    /// The oldest one in a folder, nil for the root; another one is warned of, and never touched.
    func oldest(in folder: String?) async throws(GoogleError) -> ExportedSpreadsheet? {
        // By parent, because other searches lag behind much longer.
        let parent = folder ?? workspace.configuration.sharedDriveID ?? "root"
        return try await oldest(.parent(parent), in: folder)
    }

    /// The oldest one that Drive finds by the mark, wherever it lies.
    func oldestAnywhere() async throws(GoogleError) -> ExportedSpreadsheet? {
        try await oldest(mark.condition, in: nil)
    }

    private func oldest(_ condition: DriveQuery, in folder: String?) async throws(GoogleError) -> ExportedSpreadsheet? {
        let files = try await drive.list(
            condition && .mimeType(DriveFile.spreadsheetType) && .trashed(false)
        ).filter(mark.isOn).sorted { one, other in
            (one.createdTime?.milliseconds ?? .max, one.id) < (other.createdTime?.milliseconds ?? .max, other.id)
        }
        return files.first.map { first in
            ExportedSpreadsheet(
                id: first.id, url: workspace.url(of: first), folder: folder,
                warnings: files.dropFirst().map { "Another spreadsheet of this job exists and is not used: \($0.id)" })
        }
    }
}

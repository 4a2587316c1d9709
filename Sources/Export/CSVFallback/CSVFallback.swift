import JSON
import JobQueue
import SheetModel

/// Keeps the rows of an export that fails for good, one CSV file a sheet.
///
/// The files of all jobs together have a limit, and go when their jobs do.
public struct CSVFallback: Sendable {
    private let space: CSVSpace
    private var directory: String { space.directory }

    /// Takes a folder that is there and may be written to.
    ///
    /// - Parameter limit: The most that the files in it may take together, in bytes.
    public init(directory: String, limit: Int = 1 << 30) { space = CSVSpace(directory: directory, limit: limit) }

    /// Removes the files that were written longer ago than ended jobs are kept.
    public func removeFiles(olderThan age: Duration) { space.removeFiles(olderThan: age) }

    /// Removes the files of a job that came to a better end after all.
    func removeFiles(of job: Job) { space.removeFiles(of: job.id) }

    /// The failure with the files' paths in it, where it is the job's end; else the failure as it is.
    ///
    /// What goes wrong here is said beside the failure and takes nothing away from it.
    func failure(_ failure: JobFailure, of job: Job, _ spreadsheet: Spreadsheet) async -> JobFailure {
        guard isLast(failure, of: job) else { return failure }
        var paths: [String] = []
        do {
            for (index, sheet) in spreadsheet.sheets.enumerated() {
                let path = "\(directory)/\(Self.name(of: sheet, index, job))"
                try await write(sheet, to: path)
                paths.append(path)
            }
            var details = failure.details
            details["csv_path"] = paths.count == 1 ? .string(paths[0]) : .array(paths.map(JSON.string))
            let list = paths.joined(separator: ", ")
            return JobFailure(
                code: failure.code, message: "\(failure.message) All rows of the job are kept as CSV: \(list).",
                retry: failure.retry, details: details)
        } catch {
            // A part of a job's rows would pass for all of them.
            for path in paths { space.remove(path) }
            return JobFailure(
                code: failure.code, message: "\(failure.message) The rows could not be kept as CSV: \(error)",
                retry: failure.retry, details: failure.details)
        }
    }

    private func isLast(_ failure: JobFailure, of job: Job) -> Bool {
        switch failure.retry {
        case .never: true
        case .backoff, .after: job.attempt >= job.maxAttempts
        case .snooze: false
        }
    }

    /// The job's number, the sheet's place, and of its name what means nothing to a file system.
    private static func name(of sheet: CheckedSheet, _ index: Int, _ job: Job) -> String {
        let letters = sheet.name.unicodeScalars.prefix(60).map { scalar -> Character in
            let isPlain = scalar.properties.isAlphabetic || scalar.properties.numericType != nil || scalar == "-"
            return isPlain ? Character(scalar) : "_"
        }
        return "job-\(job.id)-\(index + 1)-\(String(letters)).csv"
    }

    private func write(_ sheet: CheckedSheet, to path: String) async throws {
        let encoder = CSVEncoder(columns: sheet.columns)
        // A file of the same name is one that this takes the place of.
        space.remove(path)
        var file = try CSVFile(path: path, in: directory)
        let share = space.share()
        func append(_ line: [UInt8], to file: inout CSVFile) throws {
            try share.take(line.count)
            try file.append(line)
        }
        if sheet.hasHeader { try append(encoder.header(), to: &file) }
        var cursor = sheet.rows.cursor(from: 0)
        var rows = 0
        while let line = try cursor.next() {
            try append(try encoder.row(line), to: &file)
            rows += 1
            if rows % 1000 == 0 {
                try Task.checkCancellation()
                await Task.yield()
            }
        }
        try file.finish()
    }
}

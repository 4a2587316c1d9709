import Export
import Google
import HTTPTypes
import JSON
import Output
import Synchronization

/// The place at Google where probes work: a folder of their own with one spreadsheet, and the daemon's clients.
final class TrialStage: Sendable {
    /// How many calls that change something a trial makes at most, those of `--quota` apart.
    static let mostWrites = 40
    /// The name of the folder that a trial works in.
    static let folderName = "SheetSync trial (may be deleted)"
    /// Those that make the place and take it away.
    static let writesOfPlace = 4
    /// The size of each sheet that a probe has for itself.
    static let (rows, columns) = (300, 20)
    private static let firstSheet = 1_001
    private static let sheetCount = 24

    /// Through the gate that the daemon's calls go through.
    let api: APIClient
    /// Past it, for what has to run into a quota.
    let pastGate: APIClient
    let drive: DriveClient
    let sheets: SheetsClient
    /// The shared drive that exports live in; nil for the identity's own.
    let sharedDriveID: String?
    /// The folder of this trial.
    let folder: DriveFile
    /// The spreadsheet of those probes that need none of their own.
    let spreadsheetID: String
    /// How late Drive may be by the settings.
    let listDelay: Duration
    /// What the settings take Google to allow.
    let quotas: QuotaSettings
    /// A hidden sheet, in whose first row two texts stand: `copied` and `=1+1`.
    let hiddenSheetID: Int
    private let log: CallLog
    private let nextSheet = Mutex(TrialStage.firstSheet)
    private let shared = Mutex(Shared())

    /// What several probes look at, made by the first of them.
    private struct Shared {
        var marked: Result<DriveFile, GoogleError>?
        var manyCells: ManyCells?
        var answersCostReads: Bool?
    }

    /// What became of a batch of very many requests.
    struct ManyCells: Sendable {
        static let count = TrialStage.rows * TrialStage.columns
        /// The exchanges that it took.
        let calls: [APICall]
        /// Why it was refused; nil where it was taken.
        let error: GoogleError?
    }

    /// Makes the place.
    init(
        api: APIClient, pastGate: APIClient, sharedDriveID: String?, listDelay: Duration, quotas: QuotaSettings,
        log: CallLog
    ) async throws(GoogleError) {
        self.api = api
        self.pastGate = pastGate
        self.listDelay = listDelay
        self.sharedDriveID = sharedDriveID
        self.quotas = quotas
        self.log = log
        drive = DriveClient(api: api, sharedDriveID: sharedDriveID)
        sheets = SheetsClient(api: api)
        hiddenSheetID = Self.firstSheet + Self.sheetCount
        let id = try await drive.generateIDs(1)[0]
        var isMade = false
        do throws(GoogleError) {
            folder = try await drive.createFolder(id: id, name: Self.folderName, parent: nil)
            isMade = true
            spreadsheetID = try await drive.createSpreadsheet(name: "Trial", parent: folder.id).id
            let body: JSON = ["requests": .array(Self.sheets(hidden: hiddenSheetID))]
            _ = try await sheets.batchUpdate(spreadsheetID, body: body.bytes)
        } catch {
            // Google may have made the folder all the same.
            if isMade || error.mayHaveTakenEffect, let left = await Self.remove(id, drive) { Self.tellOfFolder(left) }
            throw error
        }
    }

    /// The id of a sheet that no other probe uses.
    func sheetID() -> Int {
        nextSheet.withLock { next in
            defer { next += 1 }
            precondition(next < Self.firstSheet + Self.sheetCount, "a trial has a sheet for each probe")
            return next
        }
    }

    /// The requests that make the sheets of the probes, and the hidden one.
    private static func sheets(hidden: Int) -> [JSON] {
        func sheet(_ id: Int, isHidden: Bool) -> JSON {
            [
                "addSheet": [
                    "properties": [
                        "sheetId": JSON(id), "title": .string("Probe \(id)"), "hidden": .bool(isHidden),
                        "gridProperties": ["rowCount": JSON(rows), "columnCount": JSON(columns)],
                    ]
                ]
            ]
        }
        let texts: [JSON] = ["copied", "=1+1"].map { ["userEnteredValue": ["stringValue": $0]] }
        return (firstSheet..<hidden).map { sheet($0, isHidden: false) }
            + [sheet(hidden, isHidden: true), cells([texts], on: hidden)]
    }

    /// A spreadsheet of its own with a mark, which is in the folder; made by the first who asks for it.
    func marked() async throws(GoogleError) -> DriveFile {
        if let known = shared.withLock(\.marked) { return try known.get() }
        let made: Result<DriveFile, GoogleError>
        do throws(GoogleError) {
            made = .success(
                try await drive.createSpreadsheet(name: "Marked", parent: folder.id, appProperties: Self.mark))
        } catch { made = .failure(error) }
        shared.withLock { $0.marked = made }
        return try made.get()
    }

    /// What the marked spreadsheet has.
    static let mark = ["sheetsync_trial": "1"]

    /// Sends a request of its own for each cell of a sheet, in one batch; once, whoever asks for it.
    func manyCells() async -> ManyCells {
        if let known = shared.withLock(\.manyCells) { return known }
        let sheet = sheetID()
        let requests = (0..<ManyCells.count).map { index in
            Self.cells(
                [[["userEnteredValue": ["numberValue": JSON(index)]]]], on: sheet, row: index / Self.columns,
                column: index % Self.columns)
        }
        let before = calls.count
        var refusal: GoogleError?
        do throws(GoogleError) { try await batch(requests) } catch { refusal = error }
        let result = ManyCells(calls: Array(calls.dropFirst(before)), error: refusal)
        shared.withLock { $0.manyCells = result }
        return result
    }

    /// Whether a write that asks for the spreadsheet in its answer counts as a read too; nil where nobody has seen it.
    var answersCostReads: Bool? {
        get { shared.withLock(\.answersCostReads) }
        set { shared.withLock { $0.answersCostReads = newValue } }
    }

    /// How many writes it takes to remove the folder: in a shared drive only managers delete, and others throw into the trash.
    var writesOfRemoval: Int { sharedDriveID == nil ? 1 : 2 }

    /// Takes the folder away with all that lies in it, also where the task is cancelled; why not, or nil.
    func remove() async -> GoogleError? { await Self.remove(folder.id, drive) }

    /// Says that the folder stays, and what to do.
    static func tellOfFolder(_ error: GoogleError) {
        Console.error(
            "the folder \"\(folderName)\" may be left in Drive, because Google did not remove it "
                + "(\(error.code.rawValue)); remove it there by hand")
    }

    private static func remove(_ id: String, _ drive: DriveClient) async -> GoogleError? {
        await Task {
            do throws(GoogleError) {
                try await drive.remove(id)
                return nil
            } catch { return error }
        }.value
    }

    /// The exchanges so far.
    var calls: [APICall] { log.calls }

    /// Sends requests to the spreadsheet as one batch.
    @discardableResult
    func batch(_ requests: JSON..., to id: String? = nil) async throws(GoogleError) -> [JSON] {
        try await batch(requests, to: id)
    }

    /// Sends requests to the spreadsheet as one batch.
    @discardableResult
    func batch(_ requests: [JSON], to id: String? = nil) async throws(GoogleError) -> [JSON] {
        let body: JSON = ["requests": .array(requests)]
        return try await sheets.batchUpdate(id ?? spreadsheetID, body: body.bytes)
    }

    /// A write that asks for a range of the spreadsheet in its answer.
    func writeThatTells(_ requests: [JSON], range: String) -> APIRequest {
        let body: JSON = [
            "requests": .array(requests), "includeSpreadsheetInResponse": true, "responseIncludeGridData": true,
            "responseRanges": [.string(range)],
        ]
        return APIRequest(
            .sheets, .post, "\(APIRequest.sheetsPath(spreadsheetID)):batchUpdate",
            fields: "updatedSpreadsheet.sheets(properties.sheetId,data.rowData.values.effectiveValue)", body: body.bytes
        )
    }

    /// Uploads a file into the folder, which Drive turns into a spreadsheet; its id.
    func upload(_ bytes: [UInt8], type: String, name: String) async throws(GoogleError) -> String {
        let metadata: JSON = [
            "name": .string(name), "mimeType": .string(DriveFile.spreadsheetType), "parents": [.string(folder.id)],
        ]
        // Nothing that is uploaded contains it.
        let boundary = "sheetsync-trial-part"
        var request = APIRequest(
            .drive, .post, "/upload/drive/v3/files",
            query: [("uploadType", "multipart"), ("supportsAllDrives", "true")],
            fields: "id",
            body: Array("--\(boundary)\r\nContent-Type: application/json; charset=utf-8\r\n\r\n\(metadata)\r\n".utf8)
                + Array("--\(boundary)\r\nContent-Type: \(type)\r\n\r\n".utf8) + bytes
                + Array("\r\n--\(boundary)--\r\n".utf8))
        request.contentType = "multipart/related; boundary=\(boundary)"
        let answer = try await api.call(request)
        guard let id = answer["id"]?.string else { throw GoogleError(.badAnswer, retry: .never) }
        return id
    }

    /// Whether a batch is refused as one that does not fit what is there.
    func isRefused(_ requests: [JSON]) async throws(GoogleError) -> Bool {
        do throws(GoogleError) {
            try await batch(requests)
            return false
        } catch {
            guard error.code == .badRequest else { throw error }
            return true
        }
    }

    /// Writes cells from one on, the first one unless said otherwise.
    static func cells(
        _ values: [[JSON]], on sheet: Int, row: Int = 0, column: Int = 0, fields: String = "userEnteredValue"
    ) -> JSON {
        [
            "updateCells": [
                "start": ["sheetId": JSON(sheet), "rowIndex": JSON(row), "columnIndex": JSON(column)],
                "fields": .string(fields), "rows": .array(values.map { ["values": .array($0)] }),
            ]
        ]
    }

    /// Google's `GridRange`.
    static func range(_ sheet: Int, rows: Range<Int>, columns: Range<Int>) -> JSON {
        [
            "sheetId": JSON(sheet), "startRowIndex": JSON(rows.lowerBound), "endRowIndex": JSON(rows.upperBound),
            "startColumnIndex": JSON(columns.lowerBound), "endColumnIndex": JSON(columns.upperBound),
        ]
    }

    /// What stands in a rectangle that begins in the first cell of a sheet.
    func values(_ range: String, on sheet: Int, cells: Int = 100) async throws(GoogleError) -> [[JSON]] {
        try await sheets.values(spreadsheetID, in: ["'Probe \(sheet)'!\(range)"], cells: cells)[0].map {
            $0.array ?? []
        }
    }

    /// Repeats a look until it shows what is waited for; returns after how long, or nil where it never did.
    func wait(_ isSeen: () async throws(GoogleError) -> Bool) async throws(GoogleError) -> Duration? {
        let start = ContinuousClock.now
        let limit = listDelay * 3 + .seconds(10)
        var pause = Duration.milliseconds(100)
        while true {
            if try await isSeen() { return ContinuousClock.now - start }
            guard ContinuousClock.now - start < limit else { return nil }
            do { try await Task.sleep(for: pause) } catch { throw GoogleError(.cancelled, retry: .never) }
            pause = min(pause * 2, .seconds(3))
        }
    }
}

/// The exchanges with Google.
final class CallLog: Sendable {
    private let all = Mutex<[APICall]>([])

    func add(_ call: APICall) { all.withLock { $0.append(call) } }

    var calls: [APICall] { all.withLock(\.self) }
    /// How many changed something, or might have.
    var writes: Int { all.withLock { $0.count(where: \.isWrite) } }
}

/// Waits in place where the daemon would give a job back, for nobody else waits for a trial.
struct PatientGate: CallGate {
    private static let patience = Duration.seconds(180)

    let gate: any CallGate

    func admit(_ resource: GoogleResource) async throws(GoogleError) {
        let deadline = ContinuousClock.now + Self.patience
        while true {
            do throws(GoogleError) { return try await gate.admit(resource) } catch {
                guard error.code == .waiting, case .wait(let pause) = error.retry, .now + pause < deadline else {
                    throw error
                }
                do { try await Task.sleep(for: pause) } catch { throw GoogleError(.cancelled, retry: .never) }
            }
        }
    }

    func settle(_ resource: GoogleResource, _ error: GoogleError?) async -> GoogleError? {
        await gate.settle(resource, error)
    }
}

import Google
import HTTPTypes
import JSON
import Synchronization

/// The place at Google where probes work: a folder of their own with one spreadsheet, and the daemon's clients.
final class TrialStage: Sendable {
    /// How many calls that change something a trial makes at most, those of `--quota` apart.
    static let mostWrites = 40
    /// Those that make the place and take it away.
    static let writesOfPlace = 3

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
    /// The writes a minute that the settings take Google to allow.
    let writesPerMinute: Int
    private let log: CallLog
    private let nextSheet = Mutex(1_000)

    /// Makes the place.
    init(
        api: APIClient, pastGate: APIClient, sharedDriveID: String?, listDelay: Duration, writesPerMinute: Int,
        log: CallLog
    ) async throws(GoogleError) {
        self.api = api
        self.pastGate = pastGate
        self.listDelay = listDelay
        self.sharedDriveID = sharedDriveID
        self.writesPerMinute = writesPerMinute
        self.log = log
        drive = DriveClient(api: api, sharedDriveID: sharedDriveID)
        sheets = SheetsClient(api: api)
        let id = try await drive.generateIDs(1)[0]
        folder = try await drive.createFolder(id: id, name: "SheetSync trial (may be deleted)", parent: nil)
        let spreadsheet: DriveFile
        do {
            spreadsheet = try await drive.createSpreadsheet(name: "Trial", parent: folder.id)
        } catch {
            try? await drive.remove(folder.id)
            throw error
        }
        spreadsheetID = spreadsheet.id
    }

    /// The id of a sheet that no other probe uses.
    func sheetID() -> Int {
        nextSheet.withLock { next in
            next += 1
            return next
        }
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

    /// Makes a sheet of its own for a probe.
    func newSheet(_ id: Int, rows: Int = 20, columns: Int = 5, isHidden: Bool = false) -> JSON {
        [
            "addSheet": [
                "properties": [
                    "sheetId": JSON(id), "title": .string("Probe \(id)"), "hidden": .bool(isHidden),
                    "gridProperties": ["rowCount": JSON(rows), "columnCount": JSON(columns)],
                ]
            ]
        ]
    }

    /// Writes values from the first cell on.
    func cells(_ values: [[JSON]], on sheet: Int, fields: String = "userEnteredValue") -> JSON {
        [
            "updateCells": [
                "start": ["sheetId": JSON(sheet), "rowIndex": 0, "columnIndex": 0], "fields": .string(fields),
                "rows": .array(values.map { ["values": .array($0)] }),
            ]
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

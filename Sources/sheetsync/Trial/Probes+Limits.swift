import Export
import Google
import JSON
import Synchronization

/// Probes of how much Google takes at once, and how often.
extension Probe {
    static let manyRequests = Probe(
        name: "requests of a write", tries: "a write with a request of its own for each of 6,000 cells",
        restsOnIt: "upserts, which change cells here and there",
        advice: "upsert fewer rows at once, or replace the sheet", writes: 0
    ) { stage throws(GoogleError) in
        let sent = await stage.manyCells()
        if let error = sent.error { throw error }
        return .holds("taken in \(seconds(sent.calls.last?.duration ?? .zero)) s")
    }

    static let writeQuota = Probe(
        name: "write quota", tries: "writes one after another until Google refuses one",
        restsOnIt: "the whole quota is used, and what Google says when it is used up",
        advice: "set SHEETSYNC_SHEETS_WRITES_PER_MINUTE_USER to what was seen", writes: 0, isOnRequest: true
    ) { stage throws(GoogleError) in
        let sheet = stage.sheetID()
        let cells = [TrialStage.cells([header], on: sheet)]
        let telling = stage.writeThatTells(cells, range: "'Probe \(sheet)'!A1:A1")
        let sheets = SheetsClient(api: stage.pastGate)
        let body: JSON = ["requests": .array(cells)]
        // Two writes that ask for the spreadsheet in their answers, and a read: as long as answers cost no reads, the writes'
        // quota is the first one to be used up; if they did, three reads would go by two writes.
        stage.answersCostReads = false
        return try await untilRefused(
            most: stage.quotas.sheetsWritesPerUser + 10, "writes", of: "WriteRequests",
            expecting: stage.quotas.sheetsWritesPerUser
        ) { number throws(GoogleError) in
            guard stage.answersCostReads == false else {
                _ = try await sheets.batchUpdate(stage.spreadsheetID, body: body.bytes)
                return
            }
            do throws(GoogleError) {
                _ = try await stage.pastGate.call(telling)
                guard number.isMultiple(of: 2) else { return }
                _ = try await sheets.values(stage.spreadsheetID, in: ["'Probe \(sheet)'!A1:A1"], cells: 1)
            } catch {
                guard error.quota?.name.hasPrefix("ReadRequests") == true else { throw error }
                stage.answersCostReads = true
            }
        }
    }

    static let costOfAnswer = Probe(
        name: "cost of a spreadsheet in an answer",
        tries: "whether writes that ask for the spreadsheet in their answers use up the quota of reads",
        restsOnIt: "a look at what stands there without a read",
        advice: "nothing: no job rests on it yet", writes: 0, isOnRequest: true
    ) { stage throws(GoogleError) in
        guard let costs = stage.answersCostReads else { return .notTried("no quota was used up") }
        return .holds(
            if: !costs, "they do not: the quota of writes was used up first",
            else: "the quota of reads was used up before that of writes")
    }

    static let readQuota = Probe(
        name: "read quota", tries: "reads one after another until Google refuses one",
        restsOnIt: "the whole quota is used, and what Google says when it is used up",
        advice: "set SHEETSYNC_SHEETS_READS_PER_MINUTE_USER to what was seen", writes: 0, isOnRequest: true
    ) { stage throws(GoogleError) in
        let sheets = SheetsClient(api: stage.pastGate)
        return try await untilRefused(
            most: stage.quotas.sheetsReadsPerUser + 10, "reads", of: "ReadRequests",
            expecting: stage.quotas.sheetsReadsPerUser
        ) { _ throws(GoogleError) in
            _ = try await sheets.spreadsheet(stage.spreadsheetID, fields: "spreadsheetId")
        }
    }

    /// Makes calls one after another until Google refuses one for a quota, and says what it tells of it.
    private static func untilRefused(
        most: Int, _ calls: String, of metric: String, expecting expected: Int,
        _ call: (_ number: Int) async throws(GoogleError) -> Void
    ) async throws(GoogleError) -> Sighting {
        let start = ContinuousClock.now
        for number in 1...most {
            do throws(GoogleError) { try await call(number) } catch {
                guard error.code == .rateLimited else { throw error }
                guard let quota = error.quota, let value = quota.value else {
                    return .differs("refused at number \(number) without the name of the quota")
                }
                let window = quota.windowStart == nil ? "does not name" : "names"
                let words =
                    "refused at number \(number): \(quota.name) is \(value), and the answer \(window) when the window began"
                guard quota.name.hasPrefix(metric) else { return .differs(words) }
                guard quota.isPerUser else { return .holds(words) }
                return .holds(if: value == expected, words, else: words)
            }
        }
        let seconds = Int((ContinuousClock.now - start) / .seconds(1))
        guard seconds < 55 else {
            return .notTried("\(most) \(calls) took \(seconds) s, too long to use a minute's quota up")
        }
        return .differs("\(most) \(calls) in \(seconds) s were taken")
    }

    static let newFiles = Probe(
        name: "new files at once", tries: "15 folders that are made at the same time",
        restsOnIt: "as many new files as Drive takes; Google names no figure",
        advice: "set SHEETSYNC_DRIVE_CREATES_PER_MINUTE_USER to 60, and try again", writes: 0, isOnRequest: true
    ) { stage throws(GoogleError) in
        let drive = DriveClient(api: stage.pastGate, sharedDriveID: stage.sharedDriveID)
        let ids = try await stage.drive.generateIDs(15)
        let start = ContinuousClock.now
        let errors = await withTaskGroup(of: GoogleError?.self) { tasks in
            for id in ids {
                tasks.addTask {
                    do throws(GoogleError) {
                        _ = try await drive.createFolder(id: id, name: "At once", parent: stage.folder.id)
                        return nil
                    } catch { return error }
                }
            }
            return await tasks.reduce(into: []) { $0 += $1.map { [$0] } ?? [] }
        }
        if let other = errors.first(where: { $0.code != .rateLimited }) { throw other }
        guard let refused = errors.first else {
            return .holds("all were made in \(seconds(ContinuousClock.now - start)) s")
        }
        return .differs(
            "\(ids.count - errors.count) of \(ids.count) were made, the others refused with HTTP \(refused.status ?? 0)"
        )
    }
}

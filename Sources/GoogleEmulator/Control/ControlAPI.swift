import JSON
import Synchronization

/// The emulator's own controls below `/emulator/`, in JSON both ways.
enum ControlAPI {
    /// Answers a request; nil where the path is none of the controls'.
    static func respond(_ request: EmulatorRequest, _ emulation: Emulation) -> EmulatorResponse? {
        guard request.path.hasPrefix("/emulator/") else { return nil }
        do throws(ControlError) {
            return .json(try answer(request, emulation))
        } catch { return .json(["error": .string(error.message)], status: 400) }
    }

    private static func answer(_ request: EmulatorRequest, _ emulation: Emulation) throws(ControlError) -> JSON {
        switch (request.verb, request.path) {
        case ("POST", "/emulator/faults"):
            let fault = try FaultJSON.fault(try body(request))
            return ["id": JSON(emulation.faults.withLock { $0.add(fault) })]
        case ("GET", "/emulator/faults"):
            return ["faults": .array(emulation.faults.withLock { $0.rules.map(FaultJSON.json) })]
        case ("DELETE", "/emulator/faults"):
            emulation.faults.withLock { $0.removeAll() }
            return [:]
        case ("GET", "/emulator/requests"): return emulation.journal.withLock(\.self).json
        case ("DELETE", "/emulator/requests"):
            emulation.journal.withLock { $0 = Journal() }
            return [:]
        case ("GET", "/emulator/state"):
            return StateReport.json(
                emulation.world.withLock(\.self), spreadsheetID: request.query["spreadsheet"],
                showsValues: request.query.flag("values"), formatRanges: request.query.all("formats"))
        case ("POST", "/emulator/tokens"):
            let change = try AuthorityChange(try body(request))
            emulation.world.withLock { change.apply(to: &$0.authority) }
            return [:]
        case ("GET", "/emulator/quotas"): return emulation.world.withLock { $0.quotas.json(now: .now) }
        case ("POST", "/emulator/quotas"):
            let body = try body(request)
            let limits = try emulation.world.withLock(\.quotas.limits).changed(by: body)
            return emulation.world.withLock {
                $0.quotas.limits = limits
                return $0.quotas.json(now: .now)
            }
        case ("DELETE", "/emulator/quotas"):
            emulation.world.withLock { $0.quotas.limits = QuotaLimits() }
            return [:]
        case ("GET", "/emulator/visibility"): return emulation.world.withLock { $0.drive.visibility.json }
        case ("POST", "/emulator/visibility"):
            let body = try body(request)
            guard let search = LateVisibility.Search(rawValue: body["search"]?.string ?? "any"),
                body.object?.names.allSatisfy(["search", "seconds", "lists"].contains) == true
            else {
                throw ControlError(
                    "The body may have \"search\" (name, parent or any), \"seconds\" and \"lists\".")
            }
            emulation.world.withLock {
                $0.drive.visibility.set(
                    search, seconds: body["seconds"]?.int ?? 0, lists: body["lists"]?.int ?? 0)
            }
            return [:]
        default:
            throw ControlError(
                "There is no \(request.verb) \(request.path). The controls are POST, GET and DELETE /emulator/faults, "
                    + "GET and DELETE /emulator/requests, GET /emulator/state, POST /emulator/tokens, POST, GET and DELETE "
                    + "/emulator/quotas, POST and GET /emulator/visibility.")
        }
    }

    private static func body(_ request: EmulatorRequest) throws(ControlError) -> JSON {
        do throws(JSONError) { return try JSON(parsing: request.body) } catch {
            throw ControlError("The body is \(error.description).")
        }
    }
}

import JSON
import ServiceLifecycle
import Synchronization

/// The emulator without its server: it takes requests and says what to send.
final class Emulation: Sendable {
    /// What becomes of a request.
    enum Delivery: Sendable {
        case send(EmulatorResponse)
        /// Send the head and half of the body, then end the connection.
        case truncate(EmulatorResponse)
        /// End the connection.
        case close
        /// Leave the connection open and silent.
        case hang
    }

    let world: Mutex<World>
    let faults = Mutex(FaultRules())
    let journal = Mutex(Journal())

    init(_ world: World) { self.world = Mutex(world) }

    /// Answers a request as it came.
    func respond(to request: EmulatorRequest) async throws -> Delivery {
        var request = request
        do throws(GoogleError) { try request.unwrap() } catch {
            return .send(error.response(GoogleAPI(path: request.path) ?? .drive))
        }
        let delivery = try await BatchEndpoint.isMeant(by: request) ? carryOutBatch(request) : carryOut(request)
        guard case .send(var response) = delivery, request.wantsGzip else { return delivery }
        response.pack()
        return .send(response)
    }

    private func carryOutBatch(_ request: EmulatorRequest) async throws -> Delivery {
        let calls: [BatchEndpoint.Call]
        do throws(GoogleError) { calls = try BatchEndpoint.calls(request) } catch {
            return .send(error.response(.drive))
        }
        var answers: [(call: BatchEndpoint.Call, response: EmulatorResponse)] = []
        for call in calls {
            switch try await carryOut(call.request) {
            case .send(let response), .truncate(let response): answers.append((call, response))
            // A fault that ends the connection ends the whole batch.
            case .close: return .close
            case .hang: return .hang
            }
        }
        return .send(BatchEndpoint.response(answers))
    }

    /// Carries a single request out.
    private func carryOut(_ request: EmulatorRequest) async throws -> Delivery {
        guard let api = GoogleAPI(path: request.path) else { return .send(respondItself(request)) }
        let call = api.givesTokens ? nil : APIDispatcher(request, api)
        let rule = faults.withLock { $0.strike(request, api) }
        let fault = rule?.fault
        if let rule, case .delay(let duration) = rule.fault.action {
            let end = ContinuousClock.now + duration
            try await cancelWhenGracefulShutdown {
                while .now < end, self.faults.withLock({ $0.hasRule(rule.id) }) {
                    try await Task.sleep(for: min(end - .now, .milliseconds(20)))
                }
            }
        }
        let delivery = deliver(request, api, call, fault)
        record(request, api, call, delivery, isFault: fault != nil)
        return delivery
    }

    private func deliver(
        _ request: EmulatorRequest, _ api: GoogleAPI, _ call: APIDispatcher?, _ fault: Fault?
    ) -> Delivery {
        switch fault?.action {
        case nil, .delay: .send(respond(request, api, call))
        case .error(let status, let reason, let message):
            .send(
                FaultError.make(api, status: status, reason: reason, message: message, now: .now).response(api))
        case .html(let status): .send(HTMLError.fault(status))
        case .garbage: .send(garbled(respond(request, api, call)))
        case .truncate: .truncate(respond(request, api, call))
        case .resetBefore: .close
        case .resetAfter: closing(after: respond(request, api, call))
        case .hang: .hang
        case .editRequest(let pattern, let text): deliverEdited(request, api, pattern, text)
        case .editAnswer(let pattern, let text): .send(edited(respond(request, api, call), pattern, text))
        }
    }

    private func deliverEdited(
        _ request: EmulatorRequest, _ api: GoogleAPI, _ pattern: String, _ text: String
    ) -> Delivery {
        var request = request
        request.body = Self.edited(request.body, pattern, text)
        return .send(respond(request, api, api.givesTokens ? nil : APIDispatcher(request, api)))
    }

    private func edited(_ response: EmulatorResponse, _ pattern: String, _ text: String) -> EmulatorResponse {
        var response = response
        response.body = Self.edited(response.body, pattern, text)
        return response
    }

    private static func edited(_ body: [UInt8], _ pattern: String, _ text: String) -> [UInt8] {
        Array(String(decoding: body, as: UTF8.self).replacing(Fault.expression(pattern), with: text).utf8)
    }

    private func closing(after response: EmulatorResponse) -> Delivery { .close }

    private func garbled(_ response: EmulatorResponse) -> EmulatorResponse {
        var response = response
        response.body = Array("{\"kind\": \"dri\u{FFFD}ve#".utf8) + [0xFF, 0xFE, 0x00]
        return response
    }

    private func respond(_ request: EmulatorRequest, _ api: GoogleAPI, _ call: APIDispatcher?) -> EmulatorResponse {
        if api.givesTokens {
            return world.withLock { TokenServices.respond(request, api, authority: &$0.authority, now: .now) }
                ?? HTMLError.notFound(request.path)
        }
        return call?.respond(request, world) ?? HTMLError.notFound(request.path)
    }

    private func respondItself(_ request: EmulatorRequest) -> EmulatorResponse {
        ControlAPI.respond(request, self) ?? Pages.respond(request, world) ?? HTMLError.notFound(request.path)
    }

    private func record(
        _ request: EmulatorRequest, _ api: GoogleAPI, _ call: APIDispatcher?, _ delivery: Delivery, isFault: Bool
    ) {
        let status: Int? =
            switch delivery {
            case .send(let response), .truncate(let response): response.status
            case .close, .hang: nil
            }
        let account = world.withLock { $0.authority.holder(request.authorization) }
        journal.withLock {
            $0.record(
                Journal.Entry(
                    time: Timestamp.now.milliseconds, api: api,
                    method: api.givesTokens ? TokenServices.method(api, path: request.path) : call?.method.id,
                    account: account, verb: request.verb, path: request.path, status: status,
                    bodyBytes: request.body.count,
                    isFault: isFault))
        }
    }
}

/// What the client's thread does: it takes commands, drives libcurl and gives out answers.
///
/// All of it is confined to that thread; only the inbox is shared.
final class TransferLoop {
    /// Easy handles kept for later requests: each carries its TLS sessions.
    private static let mostIdleHandles = 32

    private var multi: MultiHandle?
    private let inbox: Inbox
    private let userAgent: String
    private let trustStore: TrustStore?
    private var running: [ObjectIdentifier: Transfer] = [:]
    private var idle: [EasyHandle] = []

    init(multi: MultiHandle, inbox: Inbox, userAgent: String, trustStore: TrustStore?) {
        self.multi = multi
        self.inbox = inbox
        self.userAgent = userAgent
        self.trustStore = trustStore
    }

    /// Runs until the inbox says stop.
    func run() {
        while let multi {
            let (commands, isStopping) = inbox.take()
            for command in commands { obey(command, multi) }
            if isStopping { break }
            multi.perform()
            while let (transfer, outcome) = multi.nextFinished() { end(transfer, transfer.result(outcome), multi) }
            multi.wait()
        }
        if let multi {
            for transfer in running.values { end(transfer, .failure(transfer.error(.closed)), multi) }
        }
        inbox.detach()
        idle = []
        multi = nil
        inbox.ended()
    }

    private func obey(_ command: Command, _ multi: MultiHandle) {
        switch command {
        case .start(let order):
            guard !order.ticket.isCancelled else {
                return order.continuation.resume(
                    returning: .failure(HTTPError(.cancelled, host: order.request.host)))
            }
            guard let easy = idle.popLast() ?? EasyHandle() else {
                return order.continuation.resume(
                    returning: .failure(HTTPError(.failed, host: order.request.host, detail: "out of memory")))
            }
            let transfer = Transfer(order, on: easy)
            running[ObjectIdentifier(order.ticket)] = transfer
            easy.prepare(for: transfer, userAgent: userAgent, trusting: trustStore)
            if !multi.add(easy) { end(transfer, .failure(transfer.error(.failed)), multi) }
        case .cancel(let ticket):
            guard let transfer = running[ObjectIdentifier(ticket)] else { return }
            end(transfer, .failure(transfer.error(.cancelled)), multi)
        case .answer(let continuation): continuation.resume()
        }
    }

    /// Takes a transfer away from libcurl and answers its task.
    private func end(_ transfer: Transfer, _ result: Result<HTTPClient.Response, HTTPError>, _ multi: MultiHandle) {
        running[ObjectIdentifier(transfer.order.ticket)] = nil
        multi.remove(transfer.easy)
        transfer.easy.reset()
        if idle.count < Self.mostIdleHandles { idle.append(transfer.easy) }
        transfer.order.continuation.resume(returning: result)
    }
}

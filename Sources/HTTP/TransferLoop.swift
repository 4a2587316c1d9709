/// What the client's thread does: it takes commands, drives libcurl and gives out answers.
///
/// All of it is confined to that thread; only the queue of commands is shared.
final class TransferLoop {
    /// Easy handles kept for later requests: each carries its TLS sessions.
    private static let mostIdleHandles = 32

    private var multi: MultiHandle?
    private let commands: CommandQueue
    private let userAgent: String
    private let trustStore: TrustStore?
    private var running: [ObjectIdentifier: Transfer] = [:]
    private var idle: [EasyHandle] = []

    init(multi: MultiHandle, commands: CommandQueue, userAgent: String, trustStore: TrustStore?) {
        self.multi = multi
        self.commands = commands
        self.userAgent = userAgent
        self.trustStore = trustStore
    }

    /// Runs until the client is shut down.
    func run() {
        while let multi {
            let (taken, isStopping) = commands.take()
            for command in taken { handle(command, multi) }
            if isStopping { break }
            multi.perform()
            while let (transfer, outcome) = multi.nextFinished() { end(transfer, transfer.result(outcome), multi) }
            multi.wait()
        }
        if let multi {
            for transfer in running.values { end(transfer, .failure(transfer.error(.closed)), multi) }
        }
        commands.detach()
        idle = []
        multi = nil
        commands.ended()
    }

    private func handle(_ command: Command, _ multi: MultiHandle) {
        switch command {
        case .start(let pending):
            guard !pending.id.isCancelled else {
                return pending.continuation.resume(
                    returning: .failure(HTTPError(.cancelled, host: pending.request.host)))
            }
            guard let easy = idle.popLast() ?? EasyHandle() else {
                return pending.continuation.resume(
                    returning: .failure(HTTPError(.failed, host: pending.request.host, detail: "out of memory")))
            }
            let transfer = Transfer(pending, on: easy)
            running[ObjectIdentifier(pending.id)] = transfer
            easy.prepare(for: transfer, userAgent: userAgent, trusting: trustStore)
            if !multi.add(easy) { end(transfer, .failure(transfer.error(.failed)), multi) }
        case .cancel(let id):
            guard let transfer = running[ObjectIdentifier(id)] else { return }
            end(transfer, .failure(transfer.error(.cancelled)), multi)
        case .ping(let continuation): continuation.resume()
        }
    }

    /// Takes a transfer away from libcurl and answers its task.
    private func end(_ transfer: Transfer, _ result: Result<HTTPClient.Response, HTTPError>, _ multi: MultiHandle) {
        running[ObjectIdentifier(transfer.pending.id)] = nil
        multi.remove(transfer.easy)
        transfer.easy.reset()
        if idle.count < Self.mostIdleHandles { idle.append(transfer.easy) }
        transfer.pending.continuation.resume(returning: result)
    }
}

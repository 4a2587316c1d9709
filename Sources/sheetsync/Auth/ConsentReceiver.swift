import Google
import Synchronization

/// Takes the one answer to a question that a browser brings, and tells the person in it what became of that.
final class ConsentReceiver: Sendable {
    private struct State {
        var consent: Consent?
        var answer: Consent.Answer?
        var hadForeignAnswer = false
    }

    private let state = Mutex(State())
    private let (answers, continuation) = AsyncStream.makeStream(of: Consent.Answer.self)

    /// The question that is asked from now on.
    func expect(_ consent: Consent) { state.withLock { $0.consent = consent } }

    /// Whether an answer came that did not belong to the question.
    var hadForeignAnswer: Bool { state.withLock(\.hadForeignAnswer) }

    /// What the browser is shown for a path and query.
    func page(_ target: String) -> HTTPAnswer {
        let (answer, isFirst) = state.withLock { state -> (Consent.Answer, Bool) in
            let answer = state.consent?.answer(in: target) ?? .other
            switch answer {
            case .other: return (answer, false)
            case .foreign:
                state.hadForeignAnswer = true
                return (answer, false)
            case .allowed, .refused:
                let isFirst = state.answer == nil
                if isFirst { state.answer = answer }
                return (answer, isFirst)
            }
        }
        if isFirst { continuation.yield(answer) }
        return switch answer {
        case .other: HTTPAnswer(status: 404, body: "There is nothing here.\n")
        case .foreign:
            HTTPAnswer(
                status: 400, body: "This is not the answer to the question that sheetsync asked. Nothing was changed.\n"
            )
        case _ where !isFirst:
            HTTPAnswer(status: 409, body: "The answer has come before. This one changes nothing.\n")
        case .allowed:
            HTTPAnswer(
                status: 200,
                body: "The answer has come. The terminal says what became of it; this page can be closed.\n")
        case .refused:
            HTTPAnswer(
                status: 200, body: "Access was not allowed, and nothing was changed. This page can be closed.\n")
        }
    }

    /// Waits for the answer; nil where none comes in time.
    func wait(atMost limit: Duration) async -> Consent.Answer? {
        await withTaskGroup(of: Consent.Answer?.self) { group in
            group.addTask { [answers] in
                for await answer in answers { return answer }
                return nil
            }
            group.addTask {
                try? await Task.sleep(for: limit)
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
    }
}

import Google
import Synchronization

/// Counts the calls of one job.
final class CallCounter: Sendable {
    private let calls = Atomic<Int>(0)
    private let writes = Atomic<Int>(0)
    private let answer = Atomic<Int>(0)

    func count(_ call: APICall) {
        calls.add(1, ordering: .relaxed)
        answer.store(call.responseSize, ordering: .relaxed)
        // An answer of this class says that nothing was done.
        if call.service == .sheets, call.isWrite, !(400..<500).contains(call.status ?? 0) {
            writes.add(1, ordering: .relaxed)
        }
    }

    /// The size of the last answer, in bytes.
    var lastAnswer: Int { answer.load(ordering: .relaxed) }

    /// Whether anything may have been written into a spreadsheet.
    var mayHaveWritten: Bool { writes.load(ordering: .relaxed) > 0 }

    var total: Int { calls.load(ordering: .relaxed) }
}

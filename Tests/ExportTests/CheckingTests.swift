import Glibc
import JSON
import Synchronization
import Testing

@testable import Export

@Suite struct CheckingTests {
    private final class Flag: Sendable {
        private let flag = Atomic<Bool>(false)

        var isSet: Bool { flag.load(ordering: .relaxed) }

        func set() { flag.store(true, ordering: .relaxed) }
    }

    @Test(.timeLimit(.minutes(2))) func checksLeaveTheCooperativeThreadsFree() async throws {
        let isFree = Flag()
        let cores = sysconf(Int32(_SC_NPROCESSORS_ONLN))
        // As many as there are threads, and none of them ends before another task has had its turn.
        let seen = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<cores * 2 {
                group.addTask {
                    try await checking {
                        for _ in 0..<3_000 where !isFree.isSet { usleep(10_000) }
                        return isFree.isSet
                    }
                }
            }
            try await Task.sleep(for: .milliseconds(200))
            await Task.detached { isFree.set() }.value
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(seen == Array(repeating: true, count: cores * 2))
    }

    @Test func aCancelledCheckEndsAsCancelled() async throws {
        let payload: JSON = [
            "title": "T", "rows": .array((0..<200_000).map { [JSON($0)] }),
        ]
        let begun = Flag()
        let task = Task {
            try await checking {
                while !Task.isCancelled {
                    begun.set()
                    usleep(1_000)
                }
                return try ExportPayload(payload)
            }
        }
        while !begun.isSet { try await Task.sleep(for: .milliseconds(1)) }
        task.cancel()
        await #expect(throws: CancellationError.self) { _ = try await task.value }
    }

    @Test func whatACheckRefusesIsThrownAsItIs() async {
        await #expect(throws: PayloadError.self) { try await checking { try ExportPayload([:]) } }
    }
}

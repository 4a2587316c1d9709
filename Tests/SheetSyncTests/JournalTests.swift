import Foundation
import Logging
import TestSupport
import Testing

@testable import Output
@testable import Systemd

/// What the program's log looks like in the journal, heard by a socket that plays the journal's.
@Suite struct JournalTests {
    @Test func metadataBecomesFieldsAndALevelAPriority() throws {
        let receiver = DatagramReceiver("@sheetsync-\(UUID().uuidString)")
        let journal = try #require(Journal(socketPath: receiver.path))
        var logger = Logger(label: "test") { _ in ProgramLog(to: .journal(journal), level: .info) }
        logger[metadataKey: "job"] = "42"
        logger.warning("job failed", metadata: ["attempt": "2", "code": "google.not_found"])
        logger.debug("not asked for")
        logger.error("two\nlines")

        let failed = try #require(receiver.text())
        #expect(
            Set(failed.split(separator: "\n")) == [
                "MESSAGE=job failed attempt=2 code=google.not_found job=42", "PRIORITY=4",
                "SYSLOG_IDENTIFIER=sheetsync",
                "SHEETSYNC_JOB=42", "SHEETSYNC_ATTEMPT=2", "SHEETSYNC_CODE=google.not_found",
            ], "\(failed)")
        let lines = try #require(receiver.next().map { Data($0) })
        #expect(lines.firstRange(of: Data("two\nlines job=42\nPRIORITY=3\n".utf8)) != nil, "\(lines as NSData)")
        #expect(receiver.all().isEmpty)
    }

    @Test func aFileIsNoJournalAndGetsLines() async throws {
        let ended = try await Program(environment: ["JOURNAL_STREAM": "1:2", "DATABASE_URL": "x"])("status").expect(78)
        #expect(ended.errors.hasPrefix("sheetsync: DATABASE_URL "), "\(ended)")
    }
}

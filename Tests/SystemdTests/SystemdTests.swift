import Foundation
import TestSupport
import Testing

@testable import Systemd

/// The two protocols of systemd, spoken to sockets of the tests' own.
@Suite struct SystemdTests {
    private func path() -> String { "/tmp/sheetsync-\(UUID().uuidString)" }

    @Test(arguments: ["", "@"])
    func noticesArriveInOneMessage(_ prefix: String) throws {
        let receiver = DatagramReceiver(prefix + path())
        let manager = try #require(ServiceManager(environment: ["NOTIFY_SOCKET": receiver.path], processID: 7))
        #expect(manager.watchdogInterval == nil)
        #expect(manager.tell(.ready, .status("works\nSTOPPING=1"), .watchdog))
        #expect(receiver.text() == "READY=1\nSTATUS=works STOPPING=1\nWATCHDOG=1")
        #expect(manager.tell(.stopping, .extendTimeout(.milliseconds(1500))))
        #expect(receiver.text() == "STOPPING=1\nEXTEND_TIMEOUT_USEC=1500000")
    }

    @Test func aReloadCarriesTheTimeOfTheClockThatNeverGoesBack() throws {
        let receiver = DatagramReceiver(path())
        let manager = try #require(ServiceManager(environment: ["NOTIFY_SOCKET": receiver.path], processID: 7))
        let before = monotonicMicroseconds()
        #expect(manager.tell(.reloading))
        let said = try #require(receiver.text())
        let time = try #require(Int(said.replacing("RELOADING=1\nMONOTONIC_USEC=", with: "")), "\(said)")
        #expect((before...monotonicMicroseconds()).contains(time))
    }

    @Test func theWatchdogMayBeAnotherProcesss() throws {
        let socket = ["NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "3000000"]
        func interval(_ more: [String: String]) -> Duration? {
            ServiceManager(environment: socket.merging(more) { $1 }, processID: 7)?.watchdogInterval
        }
        #expect(interval([:]) == .seconds(3))
        #expect(interval(["WATCHDOG_PID": "7"]) == .seconds(3))
        #expect(interval(["WATCHDOG_PID": "8"]) == nil)
        #expect(interval(["WATCHDOG_USEC": "never"]) == nil && interval(["WATCHDOG_USEC": "0"]) == nil)
    }

    @Test func whoIsNotAskedSaysNothing() throws {
        let long = "/" + String(repeating: "x", count: 108)
        for path in [nil, "", "@", "/", "relative", "vsock:2:1234", long] {
            let environment = path.map { ["NOTIFY_SOCKET": $0] } ?? [:]
            #expect(ServiceManager(environment: environment, processID: 7) == nil, "\(path ?? "nil")")
        }
        let gone = try #require(ServiceManager(environment: ["NOTIFY_SOCKET": "/nowhere/socket"], processID: 7))
        #expect(!gone.tell(.ready))
    }

    @Test func anEntryHasFieldsAndMayHaveLineBreaks() throws {
        let receiver = DatagramReceiver(path())
        let journal = try #require(Journal(socketPath: receiver.path))
        var entry = JournalEntry("job failed", priority: 4)
        entry.add("SHEETSYNC_JOB", "42")
        entry.add("_sheetsync-rows.done", "two\nlines=2")
        entry.add("__", "has no name")
        #expect(journal.write(entry))
        let length: [UInt8] = [11, 0, 0, 0, 0, 0, 0, 0]
        let expected =
            Array("MESSAGE=job failed\nPRIORITY=4\nSHEETSYNC_JOB=42\nSHEETSYNC_ROWS_DONE\n".utf8) + length
            + Array("two\nlines=2\n".utf8)
        let received = receiver.next()
        #expect(received == expected, "\(String(decoding: received ?? [], as: UTF8.self))")
    }

    @Test func aHugeMessageIsCutAndNotLost() throws {
        let receiver = DatagramReceiver(path())
        let journal = try #require(Journal(socketPath: receiver.path))
        #expect(journal.write(JournalEntry(String(repeating: "x", count: 1_000_000), priority: 6)))
        let received = try #require(receiver.text())
        #expect(received.hasPrefix("MESSAGE=xxx") && received.hasSuffix("x\nPRIORITY=6\n"))
    }

    @Test func standardErrorOfATestIsNoJournal() {
        #expect(Journal(environment: [:]) == nil)
        #expect(Journal(environment: ["JOURNAL_STREAM": "1:1"]) == nil)
        #expect(identityOfStandardError()?.contains(":") == true)
    }
}

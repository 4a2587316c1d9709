import Foundation
import JSON
import JobQueue
import Subprocess
import TestSupport
import Testing

/// The parts that `sheetsync` brings to try it: the emulated Google and the demonstration.
@Suite(.serialized) struct DemoTests {
    @Test func theEmulatorIsAProcessOfItsOwn() async throws {
        try await Stage.with { stage in
            let directory = try TemporaryDirectory()
            defer { directory.remove() }
            let arguments = ["emulator", "--dir", directory.path, "--port", "0"]
            let ended = try await Program().launch(arguments) { emulator in
                let url = try await emulator.firstLine()
                for file in ["service-account.json", "authorized-user.json"] {
                    let attributes = try FileManager.default.attributesOfItem(atPath: "\(directory.path)/\(file)")
                    #expect(attributes[.posixPermissions] as? Int == 0o600, "\(file)")
                }
                let port = try #require(url.split(separator: ":").last)
                let second = try await Program()("emulator", "--dir", directory.path, "--port", "\(port)")
                second.expectRefusal(1, "127.0.0.1:\(port)", "another port")

                let daemon = stage.daemon.with([
                    "GOOGLE_API_ENDPOINT": url,
                    "GOOGLE_SHEETS_CREDENTIALS_PATH": "\(directory.path)/service-account.json",
                ])
                try await daemon.withDaemon { _ in
                    let job = try await stage.ended(try await stage.enqueue("export", export("Elsewhere")))
                    #expect(job.result?["spreadsheet_url"]?.string?.hasPrefix(url) == true, "\(job.json)")
                }
                emulator.send(SIGTERM)
            }
            ended.expect(0)
            #expect(ended.output.split(separator: "\n").count == 1, "the address and no more: \(ended)")
        }
    }

    @Test func theEmulatorMakesItsFolder() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let folder = directory.path + "/new/keys"
        let ended = try await Program().launch(["emulator", "--dir", folder, "--port", "0"]) { emulator in
            _ = try await emulator.firstLine()
            #expect(FileManager.default.fileExists(atPath: folder + "/service-account.json"))
            emulator.send(SIGTERM)
        }
        ended.expect(0)
        let file = try directory.write("", to: "file")
        try await Program()("emulator", "--dir", file + "/keys", "--port", "0").expectRefusal(
            1, "the folder \(file)/keys", "cannot be made", "--dir")
    }

    @Test func theDemonstrationShowsTheMainJobAndLeavesNothing() async throws {
        let place = try DemoPlace()
        defer { place.remove() }
        // What the caller has set for a daemon of theirs.
        let program = place.program.with([
            "SHEETSYNC_SCHEMA": "elsewhere", "GOOGLE_IMPERSONATE_SUBJECT": "nobody@example.com",
            "GOOGLE_DRIVE_DEFAULT_FOLDER": "Elsewhere", "http_proxy": "http://127.0.0.1:9",
        ])
        let ended = try await program.launch(["demo"]) { _ in }
        ended.expect(0)
        for part in [
            "sheetsync migrate: \(Schema.sheetsync.steps.count) steps", "job 1: ", "job 2: ", "job 3: ",
            "/spreadsheets/d/", "sheet Summary: ", "OK: ",
            "Everything is ended and deleted.",
        ] {
            #expect(ended.output.contains(part), "lacks \(part): \(ended)")
        }
        try await place.expectNothingLeft()
    }

    /// As Ctrl-C at a terminal does, which reaches everything that the program has started.
    @Test func anInterruptedDemonstrationLeavesNothingEither() async throws {
        let place = try DemoPlace()
        defer { place.remove() }
        var (ended, processes): (Ended?, [String]) = (nil, [])
        // The daemon has just been started; on a machine with much to do the jobs may nevertheless have ended by then.
        for _ in 1...5 where ended == nil || ended?.status == .exited(0) {
            ended = try await place.program.launch(["demo"]) { demo in
                try await demo.expectToSay("claims jobs as", every: .milliseconds(2))
                processes = place.processes
                demo.sendToGroup(SIGINT)
            }
        }
        try #require(ended).expect(130)
        #expect(processes.count > 2, "there is something to leave behind: \(processes)")
        try await place.expectNothingLeft()
    }
}

/// A folder for temporary files that a demonstration alone uses, so that what is its own can be told.
private struct DemoPlace {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        // Like /tmp: the server's user makes and deletes its own there.
        try FileManager.default.setAttributes([.posixPermissions: 0o1777], ofItemAtPath: directory.path)
    }

    func remove() { directory.remove() }

    var program: Program { Program(environment: ["TMPDIR": directory.path]) }

    /// The command lines of the processes that speak of the folder in their command or environment.
    var processes: [String] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return all.filter { Int($0) != nil && $0 != "\(getpid())" }.compactMap { id in
            func text(_ name: String) -> String {
                let data = FileManager.default.contents(atPath: "/proc/\(id)/\(name)") ?? Data()
                return String(decoding: data, as: UTF8.self).replacing("\0", with: " ")
            }
            let command = text("cmdline")
            return command.contains(directory.path) || text("environ").contains(directory.path) ? command : nil
        }
    }

    func expectNothingLeft() async throws {
        // The server's guard does its last work after the demonstration has ended, if that was killed.
        try await wait(for: "everything to end", seeing: { "\(processes)" }) { processes.isEmpty }
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == [])
    }
}

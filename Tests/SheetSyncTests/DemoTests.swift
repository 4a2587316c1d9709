import Foundation
import JSON
import JobQueue
import Subprocess
import SystemPackage
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

    /// A daemon without the package of the emulator; neither the search path nor the working folder brings another one.
    @Test func withoutTheEmulatorItIsSaidWhatToInstall() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let folder = directory.path + "/bin"
        let elsewhere = directory.path + "/elsewhere"
        for path in [folder, elsewhere] {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        }
        _ = try directory.write("#!/bin/sh\necho trap\n", to: "elsewhere/sheetsync-emulator", mode: 0o755)
        func run(_ program: String, _ arguments: [String]) async throws -> Ended {
            let result = try await Subprocess.run(
                .path(FilePath(program)), arguments: Arguments(arguments),
                environment: .custom(["PATH": "\(elsewhere):/usr/bin:/bin"]), workingDirectory: FilePath(elsewhere),
                output: .string(limit: 1 << 16), error: .string(limit: 1 << 16))
            return Ended(
                arguments: arguments, status: result.terminationStatus, output: result.standardOutput,
                errors: result.standardError)
        }
        let daemon = folder + "/sheetsync"
        try FileManager.default.copyItem(atPath: Program.path, toPath: daemon)
        for arguments in [["emulator", "--dir", "keys"], ["demo"], ["emulator", "--help"]] {
            try await run(daemon, arguments).expectRefusal(
                1, "sheetsync-emulator is not installed in \(folder): install the package sheetsync-emulator",
                "swift build --product sheetsync-emulator")
        }
        try FileManager.default.removeItem(atPath: daemon)
        // The other way round.
        let emulator = folder + "/sheetsync-emulator"
        try FileManager.default.copyItem(atPath: Program.emulatorPath, toPath: emulator)
        let demo = try await run(emulator, ["demo"]).expect(1)
        let words = "sheetsync-emulator: sheetsync is not installed in \(folder): install the package sheetsync, "
        #expect(demo.output.isEmpty && demo.errors.hasPrefix(words), "\(demo)")
        // A link leads to the folder of the program itself, and not to its own.
        let link = elsewhere + "/sheetsync"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: Program.path)
        let help = try await run(link, ["emulator", "--help"]).expect(0)
        #expect(help.output.contains("USAGE: sheetsync emulator") && help.output.contains("--accounts"), "\(help)")
    }

    @Test func theEmulatorSpeaksByTheNameThatItWasCalledBy() async throws {
        let wrong = try await Subprocess.run(
            .path(FilePath(Program.emulatorPath)), arguments: ["--dir", "/tmp", "--port", "x"],
            output: .string(limit: 1 << 16), error: .string(limit: 1 << 16))
        #expect(wrong.terminationStatus == .exited(64) && wrong.standardOutput.isEmpty, "\(wrong)")
        #expect(wrong.standardError.contains("Usage: sheetsync-emulator emulator"), "\(wrong)")
        let level = try await Program(environment: ["LOG_LEVEL": "loud"])("emulator", "--dir", "/tmp")
        level.expectRefusal(78, "LOG_LEVEL must be one of trace")
    }

    /// By the symbols in the files; the emulator's has them all, so that they would be seen.
    @Test(arguments: ["CNIOBoringSSL", "6NIOSSL", "14GoogleEmulator", "14PostgresServer", "16HummingbirdHTTP2"])
    func theDaemonContainsNoPartOfTheEmulator(symbol: String) async throws {
        func contains(_ path: String, _ symbol: String) async throws -> Bool {
            let result = try await Subprocess.run(
                .name("grep"), arguments: ["-qaF", symbol, path], output: .discarded, error: .string(limit: 1 << 16))
            #expect([.exited(0), .exited(1)].contains(result.terminationStatus), "\(result.standardError)")
            return result.terminationStatus.isSuccess
        }
        #expect(try await contains(Program.emulatorPath, symbol))
        #expect(try await !contains(Program.path, symbol))
        #expect(try await contains(Program.path, "15HummingbirdCore"), "the daemon's symbols can be seen too")
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

import ArgumentParser
import FoundationEssentials
import GoogleEmulator
import Logging
import Output
import ServiceLifecycle
import UnixSignals

struct EmulatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "emulator", abstract: "Run a Google of your own for tests: OAuth, Drive and Sheets.",
        discussion: """
            Writes service-account.json and authorized-user.json into the folder. Point GOOGLE_API_ENDPOINT at the printed address \
            and GOOGLE_SHEETS_CREDENTIALS_PATH at one of the files. Everything is in memory and gone at the end.
            With --accounts there are several service accounts, and their keys lie in the folder service-accounts there.
            Without a key: external-account.json, external-account-url.json and impersonated-service-account.json, and the metadata \
            server where GCE_METADATA_HOST is the printed address without its scheme.
            With --tls it speaks HTTPS and HTTP/2, and writes the certificate that clients are to trust into the folder as ca.pem.
            """)

    @Option(help: "The port on 127.0.0.1; 0 for any that is free.")
    var port = 8085

    @Option(
        help: ArgumentHelp("Where the credential files are written; made where it is missing.", valueName: "folder"))
    var dir: String

    @Option(help: "How many service accounts there are, each with a quota and files of its own.")
    var accounts = 1

    @Flag(help: "Speak HTTPS with a certificate of its own.")
    var tls = false

    @Flag(help: "Limit calls as Google limits a new project; /emulator/quotas changes it.")
    var quotas = false

    func run() async throws {
        try await ending {
            ignoreBrokenPipes()
            let logger = try logSettings().start()
            do { try FileManager.default.createDirectory(atPath: dir, withIntermediateDirectories: true) } catch {
                throw CommandFailure(
                    status: .degraded,
                    message: "the folder \(dir) is not there and cannot be made: name another one with --dir")
            }
            let emulator = try GoogleEmulator(
                .init(
                    port: port, directory: dir, serviceAccounts: accounts, quotas: quotas ? .google : QuotaLimits(),
                    usesTLS: tls))
            async let running: Void = ServiceGroup(
                services: [emulator], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger
            ).run()
            Console.print(try await emulator.baseURL)
            try Console.requireOutput()
            try await running
        }
    }

    private func logSettings() throws(CommandFailure) -> LogSettings {
        // Set but empty is as good as not set.
        let given = ProcessInfo.processInfo.environment.filter { !$0.value.isEmpty }
        do throws(LogSettings.Invalid) {
            return try LogSettings(level: given["LOG_LEVEL"], format: given["LOG_FORMAT"])
        } catch {
            throw CommandFailure(status: .settings, message: "\(error)")
        }
    }
}

public import ArgumentParser
import FoundationEssentials
import Glibc
import Systemd

extension AsyncParsableCommand {
    /// Runs the command that the arguments name, and ends the process.
    public static func runAsProgram() async -> Never {
        hearSignalsAsTheFirstProcess()
        var status: Int32 = 0
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            status = exitCode(for: error).rawValue
            let message = fullMessage(for: error)
            if !message.isEmpty {
                for line in message.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
                    status == 0 ? Console.print(line) : Console.error(line)
                }
            }
        }
        if let failure = Console.outputFailure {
            Console.error(
                "\(Console.program): the output cannot be written (\(failure)); what the command changes is changed")
            status = ExitStatus.output.rawValue
        }
        LogOutput.finish()
        Glibc.exit(status)
    }

    /// Runs a command's work; an error becomes one sentence on standard error and the exit code that belongs to it.
    ///
    /// - Parameter failure: What an error amounts to.
    public func ending(
        as failure: (any Error) -> CommandFailure, _ body: () async throws -> Void
    ) async throws {
        do {
            try await body()
        } catch let exit as ExitCode {
            throw exit
        } catch let error as ValidationError {
            throw error
        } catch {
            let failure = failure(error)
            // In the journal the sentence counts as an error and not as a note.
            let priority = Journal(environment: ProcessInfo.processInfo.environment) == nil ? "" : "<3>"
            Console.error("\(priority)\(Console.program): \(failure.message)")
            for line in failure.lastLines { Console.error(line) }
            throw ExitCode(failure.status.rawValue)
        }
    }
}

/// Lets SIGTERM and SIGINT end the process at once, until a command listens to them.
///
/// They do so by themselves but in a container's first process, which the kernel spares what it has not asked for.
private func hearSignalsAsTheFirstProcess() {
    guard getpid() == 1 else { return }
    for number in [SIGTERM, SIGINT] { signal(number) { _exit(128 + $0) } }
}

/// A peer that closes its socket is an error of one call and not the end of the process.
public func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

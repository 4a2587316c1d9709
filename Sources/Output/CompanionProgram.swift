import FoundationEssentials
import Glibc
import SystemPackage

/// Another program of the project's, which is installed in the same folder as this one.
public struct CompanionProgram: Sendable {
    /// The path of its file.
    public let path: String

    /// Finds a program beside this one's own file, whatever link this one was started by, and nowhere else.
    ///
    /// - Throws: A sentence that says how to install it.
    public init(_ name: String) throws(CommandFailure) {
        guard let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"),
            let slash = own.lastIndex(of: "/")
        else {
            throw CommandFailure(
                status: .degraded, message: "\(name) cannot be found, because /proc/self/exe does not say where it is")
        }
        let folder = own[..<slash]
        path = "\(folder)/\(name)"
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw CommandFailure(
                status: .degraded,
                message:
                    "\(name) is not installed in \(folder.isEmpty ? "/" : folder): install the package \(name), or build it "
                    + "with `swift build --product \(name)`")
        }
    }

    /// Lets it take over this process, with the same arguments, environment and open files.
    public func execute() throws(CommandFailure) -> Never {
        var arguments = unsafe CommandLine.arguments.map { unsafe strdup($0) } + [nil]
        _ = unsafe execv(path, &arguments)
        throw CommandFailure(status: .degraded, message: "\(path) cannot be run: \(Errno(rawValue: errno))")
    }
}

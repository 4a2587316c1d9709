import Foundation
import Subprocess

/// Certificates as an operator makes them, by the openssl program.
struct Certificates {
    let directory: TemporaryDirectory

    /// Makes an authority of a name.
    func makeAuthority(_ name: String) async throws -> Authority {
        let authority = Authority(directory: directory, name: name)
        try await authority.request(authority.name, ["-subj", "/CN=\(name)"])
        return authority
    }

    /// Whoever signs certificates.
    struct Authority {
        fileprivate let directory: TemporaryDirectory
        fileprivate let name: String

        /// The path of its own certificate.
        var path: String { "\(directory.path)/\(name).pem" }

        /// Makes a server's certificate for a host's name; returns it and its key as PEM texts.
        func issue(for host: String) async throws -> (certificate: String, key: String) {
            try await request(
                host,
                [
                    "-subj", "/CN=\(host)", "-addext", "subjectAltName=DNS:\(host)", "-addext",
                    "basicConstraints=critical,CA:FALSE", "-CA", path, "-CAkey", "\(directory.path)/\(name).key",
                ])
            return (try text("\(host).pem"), try text("\(host).key"))
        }

        fileprivate func request(_ file: String, _ more: [String]) async throws {
            let result = try await Subprocess.run(
                .name("openssl"),
                arguments: Arguments(
                    [
                        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-keyout", "\(directory.path)/\(file).key", "-out", "\(directory.path)/\(file).pem",
                    ] + more), input: .none, output: .discarded, error: .string(limit: 10_000))
            guard result.terminationStatus.isSuccess else { throw WaitedInVain(description: result.standardError) }
        }

        private func text(_ file: String) throws -> String {
            try String(contentsOfFile: "\(directory.path)/\(file)", encoding: .utf8)
        }
    }
}

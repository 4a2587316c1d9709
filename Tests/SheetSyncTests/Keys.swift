import Foundation
import GoogleEmulator
import JSON
import Testing

/// Private keys for credential files.
enum Keys {
    /// An RSA key as a PEM text, made once for all tests.
    static func rsa() async throws -> String { try await making.value }

    private static let making = Task {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let emulator = try GoogleEmulator(.init(directory: directory.path))
        let running = Task { try await emulator.run() }
        _ = try await emulator.port
        running.cancel()
        _ = try? await running.value
        return try key(inFile: "\(directory.path)/service-account.json")
    }

    /// The private key in a service account's file.
    static func key(inFile path: String) throws -> String {
        let file = try JSON(parsing: try String(contentsOfFile: path, encoding: .utf8))
        return try #require(file["private_key"]?.string)
    }

    /// A key on the curve P-256: the head of its PKCS#8 form, and a number that anybody may know.
    static var ellipticCurve: String {
        let head: [UInt8] = [
            0x30, 0x41, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08,
            0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x04, 0x27, 0x30, 0x25, 0x02, 0x01, 0x01, 0x04, 0x20,
        ]
        let key = Data(head + [UInt8](repeating: 7, count: 32))
        return "-----BEGIN PRIVATE KEY-----\n\(key.base64EncodedString())\n-----END PRIVATE KEY-----\n"
    }

    /// Expects that no line of a PEM text stands in a text.
    static func expectNone(of pem: String, in text: String, sourceLocation: SourceLocation = #_sourceLocation) {
        let lines = pem.split(separator: "\n").filter { $0.count > 30 && !$0.hasPrefix("-----") }
        #expect(lines.count > 5, "the key has lines to look for", sourceLocation: sourceLocation)
        for line in lines {
            #expect(!text.contains(line), "a line of the key is shown", sourceLocation: sourceLocation)
        }
    }
}

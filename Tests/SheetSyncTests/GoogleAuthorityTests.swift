import Foundation
import GoogleEmulator
import JSON
import JobQueue
import TestSupport
import Testing

/// A Google behind a certificate authority that the system does not know, as behind a proxy that opens TLS.
@Suite(.serialized) struct GoogleAuthorityTests {
    @Test func anAuthorityOfOnesOwnIsTrustedBesideTheSystems() async throws {
        try await Stage.with(usesTLS: true) { stage in
            let path = "\(stage.directory.path)/ca.pem"
            let pem = try String(contentsOfFile: path, encoding: .utf8)
            let refused = try await stage.daemon("doctor").expect(1)
            #expect(refused.output.contains("GOOGLE_CA_CERT") && refused.output.contains("certificate"), "\(refused)")
            let bundle = try stage.directory.write(
                "# The company's\nsubject=CN = x\n\n\(pem)\n\(pem)", to: "bundle.pem")
            for value in [
                path, bundle, pem, "some words\n\(pem)", pem.replacing("\n", with: "\\n"),
                Data(pem.utf8).base64EncodedString(),
            ] {
                try await stage.daemon.with(["GOOGLE_CA_CERT": value])("doctor").expect(0)
            }
            try await stage.daemon.with(["GOOGLE_CA_CERT": path]).withDaemon { _ in
                let job = try await stage.ended(try await stage.enqueue("export", export("Over TLS")))
                #expect(job.state == "completed" && job.attempt == 1, "\(job.json)")
            }
        }
    }

    @Test func whatIsNoCertificateIsNamedAtTheStartAndByDoctor() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let broken = "-----BEGIN CERTIFICATE-----\nCANARYCANARY\n-----END CERTIFICATE-----\n"
        let path = try directory.write(broken, to: "ca.pem")
        let empty = try directory.write("CANARY", to: "empty.pem")
        let large = try directory.write(broken + String(repeating: "#\n", count: 1 << 20), to: "large.pem")
        let program = Program(environment: [
            "DATABASE_URL": "postgresql://worker@127.0.0.1:1/app", "GOOGLE_SHEETS_CREDENTIALS": "metadata",
            "GCE_METADATA_HOST": "127.0.0.1:1",
        ])
        for value in [broken, path, empty, large, "/nowhere/ca.pem", "CANARY=="] {
            let run = try await program.with(["GOOGLE_CA_CERT": value])("run")
            run.expectRefusal(78, "GOOGLE_CA_CERT")
            let doctor = try await program.with(["GOOGLE_CA_CERT": value])("doctor").expect(1)
            #expect(doctor.output.contains("GOOGLE_CA_CERT"), "\(doctor)")
            #expect(!(run.errors + doctor.output + doctor.errors).contains("CANARY"), "\(run)\(doctor)")
        }
    }
}

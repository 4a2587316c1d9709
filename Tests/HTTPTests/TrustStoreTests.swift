import Foundation
import Testing

@testable import HTTP

@Suite struct TrustStoreTests {
    /// libcurl takes the list in place of the system's, so the system's must be in it.
    @Test func theSystemsCertificatesStayTrusted() throws {
        let system = try String(contentsOfFile: "/etc/ssl/certs/ca-certificates.crt", encoding: .utf8)
        let text = TrustStore(adding: "-----BEGIN CERTIFICATE-----").text
        #expect(system.contains("-----BEGIN CERTIFICATE-----") && text.contains(system))
        #expect(text.hasSuffix("\n-----BEGIN CERTIFICATE-----"))
    }
}

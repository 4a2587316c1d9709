import Testing

@testable import Google

@Suite struct AuthorityCertificatesTests {
    @Test func whatIsNoCertificateIsRefusedWithoutBeingShown() {
        for text in [
            "", "CANARY", "-----BEGIN CERTIFICATE-----\nCANARY\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\nTUlJQ0FOQVJZ\n-----END CERTIFICATE-----\n",
        ] {
            let refusal = #expect(throws: AuthorityCertificates.Refusal.self) { try AuthorityCertificates(pem: text) }
            #expect(refusal?.problem.isEmpty == false && refusal?.problem.contains("CANARY") == false)
        }
    }
}

import Arithmetic
import Foundation
import Testing

@testable import Google

@Suite struct PureTests {
    @Test func timestamps() {
        #expect(Timestamp(rfc3339: "1970-01-01T00:00:00Z")?.milliseconds == 0)
        for text in ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "2024-02-29T00:00:01Z", "9999-12-31T23:59:59Z"] {
            #expect(Timestamp(rfc3339: text)?.rfc3339 == text)
        }
        #expect(Timestamp(rfc3339: "2026-09-30T12:34:56.789Z")?.milliseconds == 1_790_771_696_789)
        #expect(Timestamp(rfc3339: "2026-09-30t14:34:56.7891234+02:00")?.milliseconds == 1_790_771_696_789)
        #expect(Timestamp(rfc3339: "2024-02-29T00:00:00.5-00:30")?.milliseconds == 1_709_166_600_500)
        #expect(Timestamp(httpDate: "Sun, 06 Nov 1994 08:49:37 GMT")?.seconds == 784_111_777)
        for text in [
            "", "2026-09-30", "2026-09-30T12:34:56", "2026-13-30T12:34:56Z", "2026-02-30T12:34:56Z",
            "2026-09-30T12:34:56.Z", "x",
        ] {
            #expect(Timestamp(rfc3339: text) == nil)
        }
        for text in ["", "Sun, 06 Foo 1994 08:49:37 GMT", "120", "Sunday"] { #expect(Timestamp(httpDate: text) == nil) }
    }

    /// Foundation's calendar is the measure, over leap years and centuries.
    @Test func timestampsAgreeWithTheCalendar() throws {
        let formatter = ISO8601DateFormatter()
        for day in stride(from: -20_000, to: 60_000, by: 37) {
            let date = Date(timeIntervalSince1970: Double(day) * 86400 + 3723)
            #expect(Timestamp(rfc3339: formatter.string(from: date))?.seconds == day * 86400 + 3723)
        }
    }

    @Test func base64URLAgreesWithFoundation() {
        for count in 0..<70 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 89 + count) }
            let expected = Data(bytes).base64EncodedString().replacingOccurrences(of: "+", with: "-")
                .replacingOccurrences(of: "/", with: "_").replacingOccurrences(of: "=", with: "")
            #expect(Base64URL.encode(bytes) == expected)
        }
    }

    @Test func percentEncoding() {
        #expect(PercentEncoding.encode("aZ09-._~ /?#&=+%'é") == "aZ09-._~%20%2F%3F%23%26%3D%2B%25%27%C3%A9")
        #expect(PercentEncoding.form([("a b", "c&d"), ("e", "")]) == "a%20b=c%26d&e=")
    }

    @Test func queriesEscapeQuotesAndBackslashes() {
        let query = DriveQuery.parent("id") && .name(#"O'Neil \' x"#) && .trashed(false) && .appProperty("k'", #"\"#)
        #expect(
            query.text
                == #"'id' in parents and name = 'O\'Neil \\\' x' and trashed = false and appProperties has { key='k\'' and value='\\' }"#
        )
        #expect(DriveQuery.mimeType(DriveFile.folderType).text == "mimeType = 'application/vnd.google-apps.folder'")
    }

    @Test func backoffGrowsWithinItsBoundsAndIsSpread() {
        let backoff = Backoff(base: .seconds(1), floor: .milliseconds(100), ceiling: .seconds(64))
        var generator = SystemRandomNumberGenerator()
        for attempt in [0, 1, 3, 6, 40, 1000] {
            let bound = min(Duration.seconds(64), .seconds(1 << min(attempt, 20)))
            let delays = (0..<500).map { _ in backoff.delay(attempt: attempt, using: &generator) }
            #expect(delays.allSatisfy { $0 >= .milliseconds(100) && $0 <= bound })
            // An even spread has its mean in the middle; 500 draws come within a fifth of it.
            let mean = delays.reduce(.zero, +) / 500
            #expect(mean > bound * 0.4 && mean < bound * 0.66, "attempt \(attempt): \(mean)")
        }
        let asked = (0..<500).map { _ in backoff.delay(attempt: 0, atLeast: .seconds(90), using: &generator) }
        #expect(asked.allSatisfy { $0 >= .seconds(90) && $0 <= .seconds(91) })
        #expect(Set(asked).count > 100)
    }
}

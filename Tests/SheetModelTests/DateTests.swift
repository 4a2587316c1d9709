import Foundation
import JSON
import SheetModel
import Testing

@Suite struct DateTests {
    private func serial(_ text: String, _ type: ColumnType, _ zone: TimeZoneRules = .utc) throws -> Double {
        let value = try CellConverter(type: type, timeZone: zone).convert(.string(text)).cell.value
        guard case .number(let serial) = value else {
            throw SheetModelErrorExpected()
        }
        return serial
    }
    private struct SheetModelErrorExpected: Error {}

    static let dateSerials: [(String, Double)] = [
        ("1899-12-30", 0), ("1899-12-31", 1), ("1900-01-01", 2), ("1899-12-29", -1), ("1900-02-28", 60),
        ("1900-03-01", 61), ("1970-01-01", 25_569), ("2000-02-29", 36_585), ("2000-03-01", 36_586),
        ("2026-11-22", 46_348), ("1600-02-29", -109512), ("0001-01-01", -693_593), ("9999-12-31", 2_958_465),
        ("1582-10-10", -115863),
    ]
    @Test(arguments: dateSerials)
    func dates(text: String, days: Double) throws {
        #expect(try serial(text, .date) == days)
    }

    @Test func everyDayFollowsTheOneBefore() throws {
        var expected = -693_593.0
        // Foundation's Gregorian calendar is Julian before 1582, so the days are counted here by the rule itself.
        for year in [1...9, 1580...1610, 1890...1910, 1995...2005, 2095...2105, 9990...9999].joined() {
            if [1580, 1890, 1995, 2095, 9990].contains(year) { expected = try serial("\(year)-01-01", .date) }
            for month in 1...12 {
                let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
                let days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
                for day in 1...days {
                    let text = String(format: "%04d-%02d-%02d", year, month, day)
                    if try serial(text, .date) != expected { Issue.record("\(text) is not day \(expected)") }
                    expected += 1
                }
                let text = String(format: "%04d-%02d-%02d", year, month, days + 1)
                #expect(throws: SheetModelError.self) { try serial(text, .date) }
            }
        }
    }

    @Test(arguments: [
        "2026-1-1", "2026-13-01", "2026-00-01", "2026-01-00", "-001-01-01", "2026/01/01",
        "20260101", "2026-01-01 ", " 2026-01-01", "2026-01-01T00:01", "1900-02-29", "2100-02-29", "infinite",
        "२०२६-०१-०१",
    ])
    func refusesWhatIsNoDate(text: String) {
        #expect(throws: SheetModelError.self) { try serial(text, .date) }
    }

    static let timeSerials: [(String, Double)] = [
        ("00:00", 0), ("06:00:00", 0.25), ("12:00", 0.5), ("23:59:59", 86_399.0 / 86_400),
        ("00:00:00.000001", 1 / 86_400e6), ("00:00:00.0000019", 1 / 86_400e6), ("18:00:00.5", 64_800.5 / 86_400),
    ]
    @Test(arguments: timeSerials)
    func times(text: String, fraction: Double) throws {
        #expect(try serial(text, .time) == fraction)
    }

    @Test(arguments: [
        "12", "12:60", "12:00:60", "12:00:00.", "12:00Z", "12:00:00+02", "T12:00", "12:00 PM", "1 days ", "1 dog", "P",
        "P1H", "PT1D", "1 day -", "--1:00", "PT1M1H", "1 mon 2 days", "P1.5",
    ])
    func refusesWhatIsNoTime(text: String) {
        #expect(throws: SheetModelError.self) { try serial(text, .time) }
    }

    static let datetimeSerials: [(String, Double?)] = [
        ("1899-12-29T12:00:00", -0.5), ("1899-12-28T18:00:00Z", -1.25), ("1970-01-01T00:00:00Z", 25_569),
        ("1970-01-01 06:00:00+06", 25_569), ("1970-01-01t00:00-00:30", 25_569 + 1.0 / 48),
        ("2026-11-22T24:00:00", nil), ("2000-01-01T00:00:00+0230", 36_526 - 2.5 / 24),
        ("1900-01-01 00:00:00+00:53:28", 2 - 3208.0 / 86_400), ("2026-11-22T10:00:00+24:00", nil),
        ("2026-11-22T10:00:00 +02", nil), ("2026-11-22", 46_348), ("2026-11-22T", nil), ("2026-11-22T10", nil),
        ("2026-11-22T10:00:00ZZ", nil), ("2026-11-22T10:00:00+2", nil), ("2026-11-22  10:00", nil),
        ("2026-11-22T10:00+02:", nil), ("2026-11-22T10:00+0200:00", nil),
    ]
    @Test(arguments: datetimeSerials)
    func datetimes(text: String, expected: Double?) throws {
        guard let expected else {
            #expect(throws: SheetModelError.self) { try serial(text, .datetime) }
            return
        }
        #expect(try serial(text, .datetime) == expected)
    }

    @Test func anOffsetIsBroughtToTheZoneAndANaiveTimeIsLocal() throws {
        let berlin = try TimeZoneRules(named: "Europe/Berlin")
        // Summer time ends on 2026-10-25 at 01:00 UTC: the same clock time twice, an hour apart.
        let before = try serial("2026-10-25T00:30:00Z", .datetime, berlin)
        #expect(before == (try serial("2026-10-25T02:30:00", .datetime, berlin)))
        #expect(before == (try serial("2026-10-25T01:30:00Z", .datetime, berlin)))
        #expect(try serial("2026-10-25T03:00:00.000+02:00", .datetime, berlin) == serial("2026-10-25T02:00", .datetime))
        // It begins on 2026-03-29 at 01:00 UTC: an hour that no clock shows.
        #expect(
            try serial("2026-03-29T00:59:59.999999Z", .datetime, berlin)
                == serial("2026-03-29T01:59:59.999999", .datetime))
        #expect(try serial("2026-03-29T01:00:00Z", .datetime, berlin) == serial("2026-03-29T03:00:00", .datetime))
        // Before 1970, the instant is rounded down, not towards zero.
        #expect(try serial("1916-04-30T21:59:59.5Z", .datetime, berlin) == serial("1916-04-30T22:59:59.5", .datetime))
        #expect(try serial("2500-07-01T12:00:00Z", .datetime, berlin) == serial("2500-07-01T14:00:00", .datetime))
    }
}

import JSON
import SheetModel
import TestSupport
import Testing

@testable import JobQueue

@Suite struct ScheduleTests {
    @Test func agreesWithATableMadeByAnotherProgram() throws {
        var times = 0
        for row in Self.table.split(separator: "\n") {
            let parts = row.split(separator: ";").map { $0.drop { $0 == " " } }
            let schedule = try Schedule(String(parts[1]))
            let clock = try ZoneClock(zone: String(parts[0]))
            var instant = try Self.instant(parts[2])
            for expected in parts[3].split(separator: " ") {
                let next = schedule.next(after: instant, of: "orders", on: clock)
                #expect(
                    next == (try Self.instant(expected)), "\(parts[0]): \(parts[1]) after \(instant), not \(expected)")
                instant = next
                times += 1
            }
        }
        #expect(times >= 200)
    }

    /// Whatever the moment, the answer is later, is the same from each moment before it, and is shown by the clock as the fields say.
    @Test(arguments: ["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "UTC"])
    func theNextTimeIsTheSameFromEachMomentBefore(_ zone: String) throws {
        var random = SeededGenerator(seed: 7)
        let clock = try ZoneClock(zone: zone)
        for text in ["*/7 * * * *", "30 2 * * *", "0 0 * * 1", "15,45 */3 * * *", "5 1 31 * *", "0 0 29 2 *"] {
            let schedule = try Schedule(text)
            for _ in 0..<40 {
                let instant = Int64.random(in: 946_684_800...1_893_456_000, using: &random)
                let next = schedule.next(after: instant, of: "a", on: clock)
                #expect(next > instant)
                let between = Int64.random(in: instant..<next, using: &random)
                #expect(schedule.next(after: between, of: "a", on: clock) == next, "\(text) after \(instant)")
            }
        }
    }

    @Test func intervalsAreSpreadByTheName() throws {
        let schedule = try Schedule("every 10 minutes")
        var places: Set<Int64> = []
        for number in 0..<200 {
            let name = "sync \(number)"
            let first = schedule.next(after: 1_700_000_000, of: name, on: .utc)
            #expect((1_700_000_001...1_700_000_600).contains(first))
            #expect(schedule.next(after: first, of: name, on: .utc) == first + 600)
            #expect(schedule.next(after: first - 1, of: name, on: .utc) == first)
            places.insert(first % 600 / 60)
        }
        #expect(places.count == 10, "each minute of the ten has some")
        for (text, seconds) in [
            ("every 10 seconds", 10), ("EVERY 1 Minute", 60), (" every\t2  hours ", 7200),
            ("every 366 days", 31_622_400),
        ] {
            let schedule = try Schedule(text)
            let first = schedule.next(after: -5, of: "a", on: .utc)
            #expect((-4...Int64(seconds) - 5).contains(first), "\(text)")
            #expect(schedule.next(after: first, of: "a", on: .utc) == first + Int64(seconds), "\(text)")
        }
    }

    static let good = [
        "* * * * *", "0 9 * * MON-FRI", "*/5 0-23/2 1,15 jan-mar,Dec *", "0 0 29 2 *", "0 0 * * 7", "5 4 * * fri-sun",
        "0 0 31 * *", "0 0 30 2 1", "0 0 */30 2 1", "every 10 seconds", "every 1 day",
        "every 52 weeks".replacing("weeks", with: "hours"),
    ]

    static let bad = [
        "", " ", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 0 *",
        "* * * 13 *",
        "* * * * 8", "-1 * * * *", "5-1 * * * *", "5/10 * * * *", "*/0 * * * *", "*/60 * * * *", "1,,2 * * * *",
        ", * * * *",
        "1- * * * *", "*-5 * * * *", "* * * foo *", "* * * * jan", "* * mon * *", "0 0 30 2 *",
        "0 0 31 feb,apr,jun,sep,nov *",
        "@daily", "every", "every minute", "every 9 seconds", "every 0 minutes", "every -5 minutes", "every 5 weeks",
        "every 367 days", "every 9999999999 days", "every 5 minutes please", "every 5 minutess", "001 * * * *",
        "١ * * * *",
        "* * * * *\u{0}", String(repeating: "1,", count: 100) + "1 * * * *", "*/1/1 * * * *", "* * * * mon-",
        "every 1e2 days",
        "* * * * *; drop", "\n* * * * *",
    ]

    @Test func refusesWhatIsNoScheduleInWords() throws {
        for text in Self.good { _ = try Schedule(text) }
        for text in Self.bad {
            let error = #expect(throws: ScheduleError.self, "\(text)") { try Schedule(text) }
            #expect((error?.description.count ?? 0) > 20, "\(text)")
        }
        let never = #expect(throws: ScheduleError.self) { try Schedule("0 0 30 2 *") }
        #expect(never?.description == "no such day ever comes, as 30 February")
    }

    @Test func survivesAnyText() {
        var random = SeededGenerator(seed: 11)
        let letters = Array("0123456789*/,- \tevryminutshodajfbcÄ@\u{301}")
        for _ in 0..<20_000 {
            let text = String(
                (0..<Int.random(in: 0...30, using: &random)).map { _ in letters.randomElement(using: &random)! })
            guard let schedule = try? Schedule(text) else { continue }
            #expect(schedule.next(after: 1_700_000_000, of: text, on: .utc) > 1_700_000_000, "\(text)")
        }
    }

    /// Seconds since 1970 of `2024-03-29T12:00` in UTC.
    private static func instant(_ text: some StringProtocol) throws -> Int64 {
        let parts = text.split { "-T:".contains($0) }.compactMap { Int($0) }
        try #require(parts.count == 5, "\(text)")
        // Days from the civil calendar, by counting.
        var days = 0
        for year in 1970..<parts[0] { days += year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 366 : 365 }
        let isLeap = parts[0] % 4 == 0 && (parts[0] % 100 != 0 || parts[0] % 400 == 0)
        let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        days += lengths.prefix(parts[1] - 1).reduce(0, +) + parts[2] - 1
        return Int64(days * 86_400 + parts[3] * 3600 + parts[4] * 60)
    }

    /// Zone; schedule; after; the times that follow, in UTC.
    ///
    /// Made in Python by looking at every minute of its zoneinfo; for UTC also by croniter, which takes `*/2` beside a limited day field
    /// for a limit and so differs in two rows.
    private static let table = """
        Europe/Berlin; 30 2 * * *; 2024-03-29T12:00; 2024-03-30T01:30 2024-03-31T01:00 2024-04-01T00:30 \
        2024-04-02T00:30
        Europe/Berlin; 30 2 * * *; 2024-10-25T12:00; 2024-10-26T00:30 2024-10-27T00:30 2024-10-28T01:30 \
        2024-10-29T01:30
        Europe/Berlin; 0 2,3 * * *; 2025-03-29T12:00; 2025-03-30T01:00 2025-03-31T00:00 2025-03-31T01:00 \
        2025-04-01T00:00
        Europe/Berlin; */15 2 * * *; 2025-03-29T12:00; 2025-03-30T01:00 2025-03-31T00:00 2025-03-31T00:15 \
        2025-03-31T00:30 2025-03-31T00:45
        Europe/Berlin; */30 2 * * *; 2026-10-24T12:00; 2026-10-25T00:00 2026-10-25T00:30 2026-10-26T01:00 \
        2026-10-26T01:30 2026-10-27T01:00
        Europe/Berlin; */20 * * * *; 2026-10-24T23:30; 2026-10-24T23:40 2026-10-25T00:00 2026-10-25T00:20 \
        2026-10-25T00:40 2026-10-25T01:00 2026-10-25T01:20 2026-10-25T01:40 2026-10-25T02:00 2026-10-25T02:20
        Europe/Berlin; 0 */2 * * *; 2026-10-24T20:00; 2026-10-24T22:00 2026-10-25T00:00 2026-10-25T01:00 \
        2026-10-25T03:00 2026-10-25T05:00 2026-10-25T07:00
        Europe/Berlin; 0 */2 * * *; 2026-03-28T21:00; 2026-03-28T23:00 2026-03-29T02:00 2026-03-29T04:00 \
        2026-03-29T06:00 2026-03-29T08:00 2026-03-29T10:00
        Europe/Berlin; 0 9 * * mon-fri; 2025-12-31T23:00; 2026-01-01T08:00 2026-01-02T08:00 2026-01-05T08:00 \
        2026-01-06T08:00 2026-01-07T08:00 2026-01-08T08:00
        Europe/Berlin; 0 0 1 */3 *; 2023-11-15T00:00; 2023-12-31T23:00 2024-03-31T22:00 2024-06-30T22:00 \
        2024-09-30T22:00 2024-12-31T23:00
        Europe/Berlin; 0 12 31 * *; 2024-01-01T00:00; 2024-01-31T11:00 2024-03-31T10:00 2024-05-31T10:00 \
        2024-07-31T10:00 2024-08-31T10:00
        America/New_York; 30 2 * * *; 2007-03-10T12:00; 2007-03-11T07:00 2007-03-12T06:30 2007-03-13T06:30 \
        2007-03-14T06:30
        America/New_York; 30 1 * * *; 2007-11-03T12:00; 2007-11-04T05:30 2007-11-05T06:30 2007-11-06T06:30 \
        2007-11-07T06:30
        America/New_York; 30 1 * * *; 2006-10-28T12:00; 2006-10-29T05:30 2006-10-30T06:30 2006-10-31T06:30
        America/New_York; 5-10/5 1 * * *; 2024-11-02T12:00; 2024-11-03T05:05 2024-11-03T05:10 2024-11-04T06:05 \
        2024-11-04T06:10 2024-11-05T06:05
        America/New_York; 0 * * * *; 2024-11-03T03:30; 2024-11-03T04:00 2024-11-03T05:00 2024-11-03T06:00 \
        2024-11-03T07:00 2024-11-03T08:00 2024-11-03T09:00
        America/New_York; 0 * * * *; 2024-03-10T05:30; 2024-03-10T06:00 2024-03-10T07:00 2024-03-10T08:00 \
        2024-03-10T09:00
        America/New_York; 0 17 * * 5; 2020-02-27T00:00; 2020-02-28T22:00 2020-03-06T22:00 2020-03-13T21:00 \
        2020-03-20T21:00
        America/New_York; 59 23 28-31 2 *; 2023-02-27T00:00; 2023-03-01T04:59 2024-02-29T04:59 2024-03-01T04:59 \
        2025-03-01T04:59
        America/Sao_Paulo; 0 0 * * *; 2018-11-02T12:00; 2018-11-03T03:00 2018-11-04T03:00 2018-11-05T02:00 \
        2018-11-06T02:00
        America/Sao_Paulo; 30 23 * * *; 2019-02-15T12:00; 2019-02-16T01:30 2019-02-17T01:30 2019-02-18T02:30 \
        2019-02-19T02:30
        America/Sao_Paulo; */30 * * * *; 2019-02-17T01:10; 2019-02-17T01:30 2019-02-17T02:00 2019-02-17T02:30 \
        2019-02-17T03:00 2019-02-17T03:30
        America/St_Johns; 30 23 * * *; 2010-11-05T12:00; 2010-11-06T02:00 2010-11-07T02:00 2010-11-08T03:00
        America/St_Johns; */30 * * * *; 2010-11-07T01:40; 2010-11-07T02:00 2010-11-07T02:30 2010-11-07T03:00 \
        2010-11-07T03:30 2010-11-07T04:00 2010-11-07T04:30 2010-11-07T05:00
        America/St_Johns; 0 0 * * *; 2010-11-05T12:00; 2010-11-06T02:30 2010-11-07T02:30 2010-11-08T03:30 \
        2010-11-09T03:30
        America/Havana; 15 0 * * *; 2021-03-12T12:00; 2021-03-13T05:15 2021-03-14T05:00 2021-03-15T04:15
        America/Havana; 15 0 * * *; 2021-11-05T12:00; 2021-11-06T04:15 2021-11-07T04:15 2021-11-08T05:15
        Australia/Lord_Howe; 15 2 * * *; 2022-10-01T00:00; 2022-10-01T15:30 2022-10-02T15:15 2022-10-03T15:15
        Australia/Lord_Howe; 45 1 * * *; 2023-03-31T20:00; 2023-04-01T14:45 2023-04-02T15:15 2023-04-03T15:15
        Australia/Lord_Howe; */15 * * * *; 2023-04-01T14:20; 2023-04-01T14:30 2023-04-01T14:45 2023-04-01T15:00 \
        2023-04-01T15:15 2023-04-01T15:30 2023-04-01T15:45
        Australia/Sydney; 30 2 * * *; 2023-09-29T12:00; 2023-09-29T16:30 2023-09-30T16:00 2023-10-01T15:30 \
        2023-10-02T15:30
        Australia/Sydney; 30 2 * * *; 2024-04-05T12:00; 2024-04-05T15:30 2024-04-06T15:30 2024-04-07T16:30 \
        2024-04-08T16:30
        Pacific/Apia; 0 12 * * *; 2011-12-28T12:00; 2011-12-28T22:00 2011-12-29T22:00 2011-12-30T10:00 \
        2011-12-30T22:00
        Pacific/Apia; 0 */6 * * *; 2011-12-29T23:00; 2011-12-30T04:00 2011-12-30T10:00 2011-12-30T16:00 \
        2011-12-30T22:00 2011-12-31T04:00
        Pacific/Auckland; 0 6 1-7 * 1; 2021-01-01T00:00; 2021-01-01T17:00 2021-01-02T17:00 2021-01-03T17:00 \
        2021-01-04T17:00 2021-01-05T17:00 2021-01-06T17:00
        Asia/Kolkata; 0 0 * * *; 2019-06-01T00:00; 2019-06-01T18:30 2019-06-02T18:30 2019-06-03T18:30
        Asia/Kathmandu; 45 5 * * 0; 2015-01-01T00:00; 2015-01-04T00:00 2015-01-11T00:00 2015-01-18T00:00 \
        2015-01-25T00:00
        Asia/Tehran; 30 0 * * *; 2020-03-19T00:00; 2020-03-19T21:00 2020-03-20T20:30 2020-03-21T20:00 \
        2020-03-22T20:00
        Asia/Tokyo; 0 9 15 * *; 2000-01-01T00:00; 2000-01-15T00:00 2000-02-15T00:00 2000-03-15T00:00
        Africa/Casablanca; 30 2 * * *; 2024-03-09T00:00; 2024-03-09T01:30 2024-03-10T01:30 2024-03-11T02:30 \
        2024-03-12T02:30
        Africa/Casablanca; 30 2 * * *; 2024-04-12T12:00; 2024-04-13T02:30 2024-04-14T02:00 2024-04-15T01:30 \
        2024-04-16T01:30
        Africa/Cairo; 0 0 * * *; 2023-04-26T00:00; 2023-04-26T22:00 2023-04-27T22:00 2023-04-28T21:00 \
        2023-04-29T21:00
        Europe/Dublin; 30 1 * * *; 2019-10-26T00:00; 2019-10-26T00:30 2019-10-27T00:30 2019-10-28T01:30
        Europe/Dublin; 30 1 * * *; 2020-03-28T00:00; 2020-03-28T01:30 2020-03-29T01:00 2020-03-30T00:30
        Europe/London; 10,20,40 1 * * 7; 2022-10-29T00:00; 2022-10-30T00:10 2022-10-30T00:20 2022-10-30T00:40 \
        2022-11-06T01:10 2022-11-06T01:20 2022-11-06T01:40
        Europe/Lisbon; 0 1 29 2 *; 2012-01-01T00:00; 2012-02-29T01:00 2016-02-29T01:00 2020-02-29T01:00
        Europe/Moscow; 30 2 * * *; 2011-03-26T00:00; 2011-03-26T23:00 2011-03-27T22:30 2011-03-28T22:30
        Europe/Moscow; 30 1 * * *; 2014-10-25T00:00; 2014-10-25T21:30 2014-10-26T22:30 2014-10-27T22:30
        UTC; * * * * *; 1999-12-31T23:57; 1999-12-31T23:58 1999-12-31T23:59 2000-01-01T00:00 2000-01-01T00:01 \
        2000-01-01T00:02
        UTC; 0 0 29 2 *; 2001-01-01T00:00; 2004-02-29T00:00 2008-02-29T00:00 2012-02-29T00:00
        UTC; 0 0 13 * fri; 2024-09-01T00:00; 2024-09-06T00:00 2024-09-13T00:00 2024-09-20T00:00 2024-09-27T00:00 \
        2024-10-04T00:00 2024-10-11T00:00 2024-10-13T00:00
        UTC; 0 0 */2 * mon; 2024-09-01T00:00; 2024-09-09T00:00 2024-09-23T00:00 2024-10-07T00:00 \
        2024-10-21T00:00
        UTC; 0 0 13 * */2; 2024-09-01T00:00; 2024-10-13T00:00 2025-02-13T00:00 2025-03-13T00:00
        UTC; 0 22-23 * dec sat,sun; 2021-11-01T00:00; 2021-12-04T22:00 2021-12-04T23:00 2021-12-05T22:00 \
        2021-12-05T23:00 2021-12-11T22:00
        UTC; 1-59/29 0 1 jan,jul *; 2003-01-01T00:00; 2003-01-01T00:01 2003-01-01T00:30 2003-01-01T00:59 \
        2003-07-01T00:01 2003-07-01T00:30
        UTC; 0 8 * * fri-sun; 2026-01-01T00:00; 2026-01-02T08:00 2026-01-03T08:00 2026-01-04T08:00 \
        2026-01-09T08:00 2026-01-10T08:00
        UTC; 0 0 * * 5-7; 2026-01-01T00:00; 2026-01-02T00:00 2026-01-03T00:00 2026-01-04T00:00 2026-01-09T00:00
        UTC; 59 23 31 12 *; 2005-05-05T00:00; 2005-12-31T23:59 2006-12-31T23:59 2007-12-31T23:59
        UTC; 7 */5 * * *; 2022-02-02T02:02; 2022-02-02T05:07 2022-02-02T10:07 2022-02-02T15:07 2022-02-02T20:07 \
        2022-02-03T00:07 2022-02-03T05:07
        America/Los_Angeles; 0 8-17/3 * * 1-5; 2026-03-05T00:00; 2026-03-05T01:00 2026-03-05T16:00 \
        2026-03-05T19:00 2026-03-05T22:00 2026-03-06T01:00 2026-03-06T16:00 2026-03-06T19:00 2026-03-06T22:00 \
        2026-03-07T01:00
        America/Phoenix; 0 2 * * *; 2025-03-08T00:00; 2025-03-08T09:00 2025-03-09T09:00 2025-03-10T09:00
        America/Caracas; 15 2 * * *; 2016-04-30T00:00; 2016-04-30T06:45 2016-05-01T06:45 2016-05-02T06:15
        Asia/Pyongyang; 45 23 * * *; 2018-05-03T00:00; 2018-05-03T15:15 2018-05-04T15:00 2018-05-05T14:45
        Antarctica/Troll; 30 2 * * *; 2021-03-27T00:00; 2021-03-27T02:30 2021-03-28T01:00 2021-03-29T00:30
        """
}

extension ZoneClock {
    /// The clock of a zone of the system's database.
    init(zone: String) throws {
        let rules = try TimeZoneRules(named: zone)
        self.init { rules.offset(at: $0) }
    }
}

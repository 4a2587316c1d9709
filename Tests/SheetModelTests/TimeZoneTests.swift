import Foundation
import Testing

@testable import SheetModel

@Suite struct TimeZoneTests {
    @Test(arguments: [
        "Europe/Berlin", "Europe/London", "Europe/Dublin", "America/New_York", "America/Sao_Paulo", "America/St_Johns",
        "Asia/Kolkata", "Asia/Tokyo", "Asia/Kathmandu", "Australia/Lord_Howe", "Australia/Sydney", "Pacific/Auckland",
        "Pacific/Chatham", "Pacific/Apia", "Africa/Casablanca", "America/Santiago", "Asia/Tehran", "Etc/GMT+5",
        "Asia/Gaza",
    ])
    func agreesWithFoundation(name: String) throws {
        let rules = try TimeZoneRules(named: name)
        let zone = try #require(TimeZone(identifier: name))
        var instants: [Int64] = []
        // Noon and midnight of a day in each month, then the seconds around each change of the clock.
        for month in 0..<(60 * 12) { instants += [Int64(month) * 2_629_746, Int64(month) * 2_629_746 + 43_200] }
        var change = zone.nextDaylightSavingTimeTransition(after: Date(timeIntervalSince1970: 0))
        var changes = 0
        while let date = change, date.timeIntervalSince1970 < 2_300_000_000, changes < 400 {
            let second = Int64(date.timeIntervalSince1970)
            instants += [second - 3601, second - 1, second, second + 1, second + 3599, second + 3600]
            change = zone.nextDaylightSavingTimeTransition(after: date)
            changes += 1
        }
        for instant in instants {
            let expected = zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(instant)))
            #expect(rules.offset(at: instant) == expected, "\(name) at \(instant)")
        }
    }

    @Test func theRuleGoesOnForCenturies() throws {
        let newYork = try TimeZoneRules(named: "America/New_York")
        // 2400-07-01 and 2400-12-01, 12:00 UTC.
        #expect(newYork.offset(at: 13_585_147_200 + 0) == -4 * 3600)
        #expect(newYork.offset(at: 13_598_366_400) == -5 * 3600)
        // Before the first change, local mean time.
        #expect(newYork.offset(at: -5_000_000_000) == -17_762)
        #expect(newYork.offset(at: .max) != 0 && newYork.offset(at: .min) != 0)
    }

    @Test(arguments: [
        ("UTC", 0, "Etc/GMT"), ("Etc/UTC", 0, "Etc/GMT"), ("GMT+05:30", 19_800, "GMT+05:30"),
        ("GMT-07:00", -25_200, "GMT-07:00"),
    ])
    func fixedZonesNeedNoFile(name: String, offset: Int, googleName: String) throws {
        let rules = try TimeZoneRules(named: name)
        #expect(rules.offset(at: 1_800_000_000) == offset)
        #expect(rules.googleName == googleName)
    }

    @Test(arguments: [
        "", "/etc/passwd", "../../etc/passwd", "Europe/../Europe/Berlin", "Europe/Berlin/", "/Europe/Berlin", "Europe",
        "Europe//Berlin", "right/Europe/Berlin", "posix/Europe/Berlin", "posixrules", "localtime", "tzdata.zi",
        "zone.tab",
        "Europe/Berlin\0", "Europe/Berlín", "europe/berlin", "Mars/Olympus", "GMT+25:00", "GMT+5:30", "GMT+05:60",
        "+02:00",
        "UTC+2",
        "Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    ])
    func refusesOtherNames(name: String) throws {
        let error = try #require(throws: SheetModelError.self) { try TimeZoneRules(named: name) }
        #expect(error.code == .unknownTimeZone)
    }

    static let posixRules: [(String, Int64, Int)] = [
        // Summer in the south, over New Year.
        ("AEST-10AEDT,M10.1.0,M4.1.0/3", 1_767_225_600, 39_600),
        ("AEST-10AEDT,M10.1.0,M4.1.0/3", 1_782_864_000, 36_000),
        // Ireland's winter is its exception; Greenland changes on the eve; Israel's Friday; all-year summer time.
        ("IST-1GMT0,M10.5.0,M3.5.0/1", 1_767_225_600, 0), ("IST-1GMT0,M10.5.0,M3.5.0/1", 1_782_864_000, 3600),
        ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 1_774_745_999, -7200),
        ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 1_774_746_000, -3600),
        ("IST-2IDT,M3.4.4/26,M10.5.0", 1_774_569_599, 7200), ("IST-2IDT,M3.4.4/26,M10.5.0", 1_774_569_600, 10_800),
        ("EST5EDT,0/0,J365/25", 1_767_225_600, -14_400), ("EST5EDT,0/0,J365/25", 1_767_247_200, -14_400),
        ("EST5EDT,0/0,J365/25", 1_798_779_600, -14_400), ("XXX3YYY,J60/0,J300/0", 1_709_262_000, -7200),
        ("XXX3YYY,J60/0,J300/0", 1_709_261_999, -10_800), ("<+0330>-3:30", 0, 12_600),
    ]
    @Test(arguments: posixRules)
    func readsPosixRules(text: String, instant: Int64, offset: Int) throws {
        #expect(try #require(PosixTimeZone(text)).offset(at: instant) == offset)
    }

    @Test(arguments: [
        "", "X", "CET", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M13.1.0,M10.5.0", "<CET-1", "CET-200", "CET-1,",
    ])
    func refusesOtherRules(text: String) {
        #expect(PosixTimeZone(text) == nil)
    }

    @Test func damagedFilesAreRefusedOrRead() throws {
        guard case .bytes(let file) = ZoneFile.read("Europe/Berlin") else {
            Issue.record("no time zone database")
            return
        }
        #expect(TimeZoneTable(parsing: file) != nil)
        #expect(TimeZoneTable(parsing: []) == nil)
        for length in 0..<file.count { #expect(TimeZoneTable(parsing: Array(file.prefix(length))) == nil) }
        for _ in 0..<4_000 {
            var damaged = file
            for _ in 0..<Int.random(in: 1...4) { damaged[.random(in: 0..<damaged.count)] = .random(in: 0...255) }
            // It may still be a table; then it must answer.
            _ = TimeZoneTable(parsing: damaged)?.offset(at: .random(in: -4_000_000_000...8_000_000_000))
        }
    }
}

/// When clocks of a time zone stand how far from UTC.
///
/// The files of the system's time zone database are read here by hand, because Foundation's `TimeZone` needs ICU (some 40 MB in
/// the program) and the C library has one zone for the whole process.
public struct TimeZoneRules: Sendable {
    /// The zone's name as it was given.
    public let name: String
    /// The name by which Google Sheets knows the zone.
    ///
    /// It calls UTC `Etc/GMT`, which is also what a new spreadsheet of a service account has.
    public var googleName: String { Self.namesOfUTC.contains(name) ? "Etc/GMT" : name }

    private let table: TimeZoneTable

    /// The rules of UTC.
    public static let utc = TimeZoneRules(name: "UTC", table: TimeZoneTable(fixedOffset: 0))
    private static let namesOfUTC: Set = ["UTC", "GMT", "Etc/UTC", "Etc/GMT"]

    private init(name: String, table: TimeZoneTable) {
        self.name = name
        self.table = table
    }

    /// Finds a zone by its IANA name, such as `Europe/Berlin`, or a fixed one: `UTC`, `GMT+05:30`.
    ///
    /// All but the fixed ones are read from the system's time zone database; the name is checked before it becomes a path.
    public init(named name: String) throws(SheetModelError) {
        if Self.namesOfUTC.contains(name) {
            self.init(name: name, table: TimeZoneTable(fixedOffset: 0))
        } else if let offset = Self.fixedOffset(name) {
            self.init(name: name, table: TimeZoneTable(fixedOffset: offset))
        } else {
            guard Self.isZoneName(name) else { throw Self.unknown }
            switch ZoneFile.read(name) {
            case .bytes(let bytes):
                guard let table = TimeZoneTable(parsing: bytes) else { throw Self.unknown }
                self.init(name: name, table: table)
            case .missing: throw Self.unknown
            case .noDatabase:
                throw SheetModelError(
                    .unknownTimeZone,
                    "\(ZoneFile.directory) is missing, so only UTC and GMT+HH:MM are known; install the package tzdata")
            }
        }
    }

    /// The seconds east of UTC at an instant, given in seconds since 1970-01-01 00:00 UTC.
    public func offset(at instant: Int64) -> Int { table.offset(at: instant) }

    private static var unknown: SheetModelError {
        SheetModelError(.unknownTimeZone, "there is no such time zone; expected one such as Europe/Berlin or UTC")
    }

    /// Parts of letters, digits, `_`, `+` and `-` that begin with a capital letter: no dots, no way out of the folder, and
    /// neither of the folders `posix` and `right`, whose clocks count leap seconds.
    private static func isZoneName(_ name: String) -> Bool {
        let parts = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        return name.utf8.count <= 64 && (1...3).contains(parts.count)
            && parts.allSatisfy { part in
                guard let first = part.first, (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first) else {
                    return false
                }
                return part.allSatisfy { byte in
                    switch byte {
                    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "-"):
                        true
                    default: false
                    }
                }
            }
    }

    /// The offset of `GMT+05:30`, the form that Google gives to zones without a name.
    private static func fixedOffset(_ name: String) -> Int? {
        let bytes = Array(name.utf8)
        guard bytes.count == 9, name.hasPrefix("GMT+") || name.hasPrefix("GMT-"), bytes[6] == UInt8(ascii: ":") else {
            return nil
        }
        let digits = [4, 5, 7, 8].map { Int(bytes[$0]) - Int(UInt8(ascii: "0")) }
        guard digits.allSatisfy({ (0...9).contains($0) }) else { return nil }
        let hours = digits[0] * 10 + digits[1]
        let minutes = digits[2] * 10 + digits[3]
        guard hours <= 14, minutes <= 59 else { return nil }
        let seconds = hours * 3600 + minutes * 60
        return bytes[3] == UInt8(ascii: "-") ? -seconds : seconds
    }
}

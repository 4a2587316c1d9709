import Google

/// What Google counts, for each identity and for the Cloud project; the raw value is its name in the database.
enum QuotaKind: String, Sendable, CaseIterable {
    case sheetsReads = "sheets_reads"
    case sheetsWrites = "sheets_writes"
    /// Google's own unit for calls of Drive, of which a list costs more than a look at a file.
    case driveUnits = "drive_units"
    /// New files. Google names no figure; more than some two a second are known to be refused after a while.
    case driveCreates = "drive_creates"

    /// The most that one call costs.
    var largestCost: Int { self == .driveUnits ? 100 : 1 }

    /// How much of what came unused is caught up; nil for all of it.
    var burst: Int? { self == .driveCreates ? 4 : nil }
}

extension GoogleResource {
    /// What a call costs.
    var costs: [(quota: QuotaKind, amount: Int)] {
        switch self {
        case .identity: []
        case .driveRead: [(.driveUnits, 5)]
        case .driveList: [(.driveUnits, 100)]
        case .driveWrite: [(.driveUnits, 50)]
        case .driveCreate: [(.driveUnits, 50), (.driveCreates, 1)]
        case .sheetsRead: [(.sheetsReads, 1)]
        case .sheetsWrite: [(.sheetsWrites, 1)]
        }
    }
}

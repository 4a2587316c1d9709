/// The faults in force.
struct FaultRules: Sendable {
    /// A fault with how far it got.
    struct Rule: Sendable {
        let id: Int
        let fault: Fault
        /// How many requests it has struck.
        fileprivate(set) var strikes = 0
        fileprivate var chance: SplitMix64
    }

    private(set) var rules: [Rule] = []
    private var lastID = 0

    /// Puts a fault in force; the number that its rule goes by.
    mutating func add(_ fault: Fault) -> Int {
        lastID += 1
        rules.append(Rule(id: lastID, fault: fault, chance: SplitMix64(state: fault.seed)))
        return lastID
    }

    /// Lifts a fault.
    mutating func remove(_ id: Int) { rules.removeAll { $0.id == id } }

    /// Lifts all faults.
    mutating func removeAll() { rules = [] }

    /// Whether a fault is in force, however often it has struck.
    func hasRule(_ id: Int) -> Bool { rules.contains { $0.id == id } }

    /// The first rule that strikes a request, counted as struck.
    mutating func strike(_ request: EmulatorRequest, _ api: GoogleAPI) -> Rule? {
        for index in rules.indices {
            let rule = rules[index]
            guard rule.fault.fits(request, api), rule.strikes < rule.fault.count ?? .max else { continue }
            guard Double.random(in: 0..<1, using: &rules[index].chance) < rule.fault.probability else { continue }
            rules[index].strikes += 1
            return rules[index]
        }
        return nil
    }
}

/// A small generator of chance that a seed determines (Steele, Lea and Flood 2014).
private struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

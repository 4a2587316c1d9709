/// What is known of Google before it is called: of the ways that have another beside them, which it takes.
public struct GoogleTraits: Sendable, Hashable {
    /// Whether it takes compressed request bodies.
    public var takesPackedBodies = true
    /// Whether it takes values by the range of a grid.
    public var takesValuesByGridRange = true

    /// Makes the traits of a Google that does what its documents say.
    public init() {}
}

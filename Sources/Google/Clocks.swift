/// The two kinds of time that tokens need, so that a test can set them.
struct Clocks: Sendable {
    /// The time of day that assertions carry; it may be wrong, and jump.
    var wall: @Sendable () -> Timestamp = { .now() }
    /// Time that only passes, for a token's life.
    var steady: @Sendable () -> ContinuousClock.Instant = { .now }
}

import Google
import Testing

struct BreakerTests {
    private let start = ContinuousClock.now
    private var policy: Breaker.Policy {
        var policy = Breaker.Policy()
        (policy.threshold, policy.pause, policy.longestPause) = (3, .seconds(2), .seconds(5))
        return policy
    }

    @Test func opensAfterSeveralFailures() {
        var breaker = Breaker(policy: policy)
        #expect(breaker.fail(at: start) == nil)
        #expect(breaker.fail(at: start) == nil)
        #expect(breaker.permit(at: start) == .allowed)
        #expect(breaker.fail(at: start) == .seconds(2))
        #expect(breaker.permit(at: start + .seconds(1)) == .blocked(for: .seconds(1)))
        #expect(!breaker.isClosed)
    }

    @Test func letsOneTrialThroughAndWaitsLongerEachTime() {
        var breaker = Breaker(policy: policy)
        #expect(breaker.fail(at: start, isCertain: true) == .seconds(2))
        var now = start + .seconds(2)
        #expect(breaker.begin(at: now) == .allowed)
        #expect(breaker.begin(at: now) == .blocked(for: .seconds(2)), "one trial at a time")
        #expect(breaker.fail(at: now) == .seconds(4))
        now += .seconds(4)
        #expect(breaker.begin(at: now) == .allowed)
        #expect(breaker.fail(at: now) == .seconds(5), "no longer than the longest")
    }

    @Test func callsThatWentOutEarlierDoNotLengthenThePause() {
        var breaker = Breaker(policy: policy)
        #expect(breaker.fail(at: start, isCertain: true) == .seconds(2))
        #expect(breaker.fail(at: start + .seconds(1)) == .seconds(1))
        #expect(breaker.permit(at: start + .seconds(2)) == .allowed)
    }

    @Test func aTrialThatTellsNothingMakesRoomForAnother() {
        var breaker = Breaker(policy: policy)
        _ = breaker.fail(at: start, isCertain: true)
        let now = start + .seconds(3)
        #expect(breaker.begin(at: now) == .allowed)
        breaker.abandon()
        #expect(breaker.begin(at: now) == .allowed)
        #expect(breaker.begin(at: now + .seconds(21)) == .allowed, "a lost trial does not block for ever")
    }
}

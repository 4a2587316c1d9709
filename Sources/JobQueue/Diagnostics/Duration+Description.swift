/// A time span as a person says it: `0.4 s`, `12 s`, `5 min`, `3 h`, `4 days`; less than nothing is `0.0 s`.
public func approximate(seconds: Double) -> String {
    let seconds = max(seconds, 0)
    return switch seconds {
    case ..<10: "\(Int(seconds * 10) / 10).\(Int(seconds * 10) % 10) s"
    case ..<120: "\(Int(seconds)) s"
    case ..<7200: "\(Int(seconds / 60)) min"
    case ..<172_800: "\(Int(seconds / 3600)) h"
    default: "\(Int(seconds / 86_400)) days"
    }
}

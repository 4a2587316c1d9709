import Postgres

/// An account that works at Google: how long its token is good for, what is left of its quotas, and what fails for it.
public struct IdentityStanding: Sendable, Equatable {
    /// Its name, mostly a mail address.
    public let account: String
    /// Seconds that Google takes its access token yet, negative where the next call renews it; nil where it has none.
    public internal(set) var tokenLeft: Double?
    /// Its own quotas.
    public internal(set) var quotas: [Quota] = []
    /// The services that fail for it.
    public internal(set) var breakers: [OpenBreaker] = []

    init(_ account: String) { self.account = account }
}

extension GoogleStanding {
    /// Everybody who has a token, uses a quota or meets a fault at the moment, in the order of the names.
    public var identities: [IdentityStanding] {
        var found: [String: IdentityStanding] = [:]
        for (account, left) in tokens {
            found[account, default: IdentityStanding(account)].tokenLeft = left
        }
        for quota in quotas {
            guard let account = quota.account else { continue }
            found[account, default: IdentityStanding(account)].quotas.append(quota)
        }
        for breaker in breakers where breaker.isCurrent {
            found[breaker.account, default: IdentityStanding(breaker.account)].breakers.append(breaker)
        }
        return found.values.sorted { $0.account < $1.account }
    }
}

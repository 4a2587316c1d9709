/// One numbered step of the schema, as it is embedded in the program.
public struct Migration: Sendable {
    /// Its number, from 1 without gaps.
    public let number: Int
    /// What it brings, in a word or two.
    public let name: String
    /// Its statements, for a role and a search path that `Schema` has set.
    public let sql: String

    /// Every step, in order.
    public static let all = [
        Migration(number: 1, name: "queue", embedded: PackageResources.v0001_queue_sql),
        Migration(number: 2, name: "quota", embedded: PackageResources.v0002_quota_sql),
        Migration(number: 3, name: "insight", embedded: PackageResources.v0003_insight_sql),
        Migration(number: 4, name: "start", embedded: PackageResources.v0004_start_sql),
    ]

    private init(number: Int, name: String, embedded: [UInt8]) {
        self.number = number
        self.name = name
        sql = String(decoding: embedded, as: UTF8.self)
    }
}

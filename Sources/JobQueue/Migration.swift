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
        Migration(number: 1, name: "tables", embedded: PackageResources.v0001_tables_sql),
        Migration(number: 2, name: "order", embedded: PackageResources.v0002_order_sql),
        Migration(number: 3, name: "enqueue", embedded: PackageResources.v0003_enqueue_sql),
        Migration(number: 4, name: "steering", embedded: PackageResources.v0004_steering_sql),
        Migration(number: 5, name: "claim", embedded: PackageResources.v0005_claim_sql),
        Migration(number: 6, name: "worker", embedded: PackageResources.v0006_worker_sql),
        Migration(number: 7, name: "upkeep", embedded: PackageResources.v0007_upkeep_sql),
        Migration(number: 8, name: "rights", embedded: PackageResources.v0008_rights_sql),
        Migration(number: 9, name: "quota", embedded: PackageResources.v0009_quota_sql),
        Migration(number: 10, name: "insight", embedded: PackageResources.v0010_insight_sql),
        Migration(number: 11, name: "start", embedded: PackageResources.v0011_start_sql),
    ]

    private init(number: Int, name: String, embedded: [UInt8]) {
        self.number = number
        self.name = name
        sql = String(decoding: embedded, as: UTF8.self)
    }
}

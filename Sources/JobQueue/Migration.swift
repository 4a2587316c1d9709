/// One numbered step of the schema, as it is embedded in the program.
///
/// Numbers are unique over the modules that bring steps: each step of the database has one, whoever brings it.
public struct Migration: Sendable {
    /// Its number, from 1.
    public let number: Int
    /// What it brings, in a word or two.
    public let name: String
    /// Its statements, for a role and a search path that `Schema` has set.
    public let sql: String

    /// The steps of the queue itself, in order.
    public static let queue = [
        Migration(number: 1, name: "tables", embedded: PackageResources.v0001_tables_sql),
        Migration(number: 2, name: "targets", embedded: PackageResources.v0002_targets_sql),
        Migration(number: 3, name: "enqueue", embedded: PackageResources.v0003_enqueue_sql),
        Migration(number: 4, name: "claim", embedded: PackageResources.v0004_claim_sql),
        Migration(number: 5, name: "worker", embedded: PackageResources.v0005_worker_sql),
        Migration(number: 6, name: "control", embedded: PackageResources.v0006_control_sql),
        Migration(number: 7, name: "maintenance", embedded: PackageResources.v0007_maintenance_sql),
        Migration(number: 8, name: "reports", embedded: PackageResources.v0008_reports_sql),
        Migration(number: 9, name: "rights", embedded: PackageResources.v0009_rights_sql),
        Migration(number: 12, name: "syncs", embedded: PackageResources.v0012_syncs_sql),
    ]

    /// Makes a step from its text in UTF-8.
    public init(number: Int, name: String, embedded: [UInt8]) {
        self.number = number
        self.name = name
        sql = String(decoding: embedded, as: UTF8.self)
    }
}

/// A column of a statement's result.
public struct ResultColumn: Sendable, Hashable {
    /// Its name, which may be another column's too.
    public let name: String
    /// The object identifier of its type in `pg_type`; a domain has its base type's.
    public let typeID: UInt32
}

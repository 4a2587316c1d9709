import Google

/// A spreadsheet that may have been made although nobody was told, and how long it has been looked for.
struct UncertainCreate: Sendable, Hashable {
    /// When the call cannot have begun later; whole seconds.
    var since: Timestamp
    /// How often its folder has been looked through since, in vain.
    var looks = 0
    /// The folder it was made in, nil for the root.
    var folder: String?
}

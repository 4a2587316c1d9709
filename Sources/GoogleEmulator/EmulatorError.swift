/// Why the emulator could not start or keep its files.
public struct EmulatorError: Error, Sendable, CustomStringConvertible {
    /// What went wrong, in a form that programs can tell apart.
    public enum Code: String, Sendable {
        /// The address is taken or not allowed.
        case bindingFailed = "emulator.binding_failed"
        /// The credential files could not be read or written.
        case credentialsFailed = "emulator.credentials_failed"
        /// OpenSSL could not make a key.
        case keyFailed = "emulator.key_failed"
        /// The emulator has stopped.
        case stopped = "emulator.stopped"
    }

    /// What went wrong.
    public let code: Code
    /// What happened and what to do next, for a person.
    public let description: String
}

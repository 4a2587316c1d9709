/// Why a request to the emulator's own controls makes no sense, as a sentence for a person.
struct ControlError: Error, Sendable {
    let message: String

    init(_ message: String) { self.message = message }
}

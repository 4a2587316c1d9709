import Foundation
import Synchronization

/// The service account's key that the emulators of a run share, because making one takes a fifth of a second.
public enum SharedKey {
    private static let file = Mutex<Data?>(nil)

    /// Puts the key into an emulator's folder before it starts, which then takes it over; the first ones make their own.
    public static func lend(to directory: String) throws {
        try file.withLock(\.self)?.write(to: URL(filePath: "\(directory)/service-account.json"))
    }

    /// Keeps the key that an emulator has written into its folder.
    public static func keep(from directory: String) throws {
        guard file.withLock({ $0 == nil }) else { return }
        let key = try Data(contentsOf: URL(filePath: "\(directory)/service-account.json"))
        file.withLock { $0 = key }
    }
}

import NIOCore
import SystemPackage

/// An address that a server cannot listen on.
struct PageServerError: Error, CustomStringConvertible {
    let description: String

    /// Makes the error of a server that ended before it listened.
    init(address: BindAddress, _ end: Result<Void, any Error>) {
        let error: (any Error)? = if case .failure(let error) = end { error } else { nil }
        description =
            switch (error as? IOError).map({ Errno(rawValue: $0.errnoCode) }) {
            case .addressInUse?: "\(address) is in use by another program"
            case let reason?: "\(address) cannot be listened on: \(reason)"
            case nil: "\(address) cannot be listened on: \(error.map { "\($0)" } ?? "the server has ended")"
            }
    }
}

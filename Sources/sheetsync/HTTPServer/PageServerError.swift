import NIOCore
import SystemPackage

/// An address that a server cannot listen on.
struct PageServerError: Error, CustomStringConvertible {
    let description: String

    init(address: BindAddress, _ error: any Error) {
        description =
            switch (error as? IOError).map({ Errno(rawValue: $0.errnoCode) }) {
            case .addressInUse?: "\(address) is in use by another program"
            case let reason?: "\(address) cannot be listened on: \(reason)"
            case nil: "\(address) cannot be listened on: \(error)"
            }
    }
}

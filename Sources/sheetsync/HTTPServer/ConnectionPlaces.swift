import NIOCore
import Synchronization

/// The connections that a server has open, so many at most, and a quarter of them from one address.
///
/// Who has not asked yet makes room for who comes: whoever holds connections open without a word keeps nobody out.
/// Hummingbird's own limit would let them: at its maximum it accepts no more until one of them ends.
final class ConnectionPlaces: Sendable {
    private struct Place {
        let channel: any Channel
        let address: String
        var hasAsked = false
    }

    private let count: Int
    /// In the order in which they came.
    private let places = Mutex<[Place]>([])

    init(count: Int) { self.count = count }

    /// Takes a place; false where none can be had.
    func enter(_ channel: any Channel) -> Bool {
        let address = channel.remoteAddress?.ipAddress ?? ""
        let (isIn, silent) = places.withLock { places -> (Bool, (any Channel)?) in
            var silent: (any Channel)?
            let isCrowd = places.count { $0.address == address } >= max(1, count / 4)
            if isCrowd || places.count >= count {
                guard let place = places.firstIndex(where: { !$0.hasAsked && (!isCrowd || $0.address == address) })
                else {
                    return (false, nil)
                }
                silent = places.remove(at: place).channel
            }
            places.append(Place(channel: channel, address: address))
            return (true, silent)
        }
        silent?.close(promise: nil)
        return isIn
    }

    /// Notes that a request has come.
    func noteRequest(on channel: any Channel) {
        places.withLock { places in
            if let place = places.firstIndex(where: { $0.channel === channel }) { places[place].hasAsked = true }
        }
    }

    func leave(_ channel: any Channel) {
        places.withLock { $0.removeAll { $0.channel === channel } }
    }

    /// Closes every connection.
    func close() {
        let all = places.withLock { $0 }
        for place in all { place.channel.close(promise: nil) }
    }
}

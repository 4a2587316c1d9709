import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// A small HTTP server: GET, short answers, one request a connection.
///
/// It is made for monitors on a trusted network and stays harmless elsewhere: at most 64 connections (fewer where few files may be open), a quarter of them an
/// address, 16 KiB a request, 2 seconds for its head and 10 for all of it, whatever a client does. Where the places are taken,
/// the oldest connection that has not asked makes room.
struct PageServer: Service {
    /// Where it listens; the port is the real one where any was asked for.
    let address: BindAddress
    private let group: MultiThreadedEventLoopGroup
    private let places: ConnectionPlaces
    private let serving: Task<Void, any Error>

    /// Binds the address and serves from now on; the page is asked for by its path and query.
    ///
    /// - Parameters:
    ///   - connections: How many there are at most.
    ///   - page: The answer to GET of a path.
    /// - Throws: `PageServerError` where the address cannot be had.
    init(
        _ address: BindAddress, connections: Int = 64, page: @escaping @Sendable (String) async -> HTTPAnswer
    ) async throws(PageServerError) {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let places = ConnectionPlaces(count: connections)
        // A connection that ends early is no news.
        var logger = Logger(label: "pages")
        logger.logLevel = .critical
        let (ports, bound) = AsyncStream.makeStream(of: Int.self)
        let server = Server(
            childChannelSetup: PageChannel(host: address.host, places: places, page: page),
            configuration: ServerConfiguration(address: .hostname(address.host, port: address.port), backlog: 64),
            onServerRunning: { channel in
                // Without files for new connections it waits a second, and does not ask again and again.
                try? await channel.eventLoop.submit {
                    try channel.pipeline.syncOperations.addHandler(
                        AcceptBackoffHandler(shouldForwardIOErrorCaught: false), position: .first)
                }.get()
                bound.yield(channel.localAddress?.port ?? address.port)
            },
            eventLoopGroup: group, logger: logger)
        serving = Task {
            defer { bound.finish() }
            try await server.run()
        }
        guard let port = await ports.first(where: { _ in true }) else {
            let end = await serving.result
            try? await group.shutdownGracefully()
            throw PageServerError(address: address, end)
        }
        self.address = BindAddress(host: address.host, port: port)
        self.group = group
        self.places = places
    }

    func run() async throws {
        try? await gracefulShutdown()
        serving.cancel()
        places.close()
        _ = await serving.result
        try await group.shutdownGracefully()
    }
}

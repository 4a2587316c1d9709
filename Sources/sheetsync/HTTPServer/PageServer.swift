import NIOCore
import NIOHTTP1
import NIOPosix
import ServiceLifecycle

/// A small HTTP server: GET, short answers, one request a connection.
///
/// It is made for monitors on a trusted network and stays harmless elsewhere: at most 64 connections, a quarter of them an
/// address, 16 KiB a request, 2 seconds for its head and 10 for all of it, whatever a client does. Where the places are taken,
/// the oldest connection that has not asked makes room.
struct PageServer: Service {
    private static let mostConnections = 64
    private static let largestRequest = 16 << 10

    /// Where it listens; the port is the real one where any was asked for.
    let address: BindAddress
    private let group: MultiThreadedEventLoopGroup
    private let channel: any Channel

    /// Binds the address and serves from now on; the page is asked for by its path and query.
    ///
    /// - Throws: `PageServerError` where the address cannot be had.
    init(_ address: BindAddress, page: @escaping @Sendable (String) async -> HTTPAnswer) async throws(PageServerError) {
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let places = ConnectionPlaces(count: Self.mostConnections)
        let host = address.host
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 64)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            // Without files for new connections it waits a second, and does not ask again and again.
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        AcceptBackoffHandler(shouldForwardIOErrorCaught: false))
                }
            }
            .childChannelInitializer { channel in
                guard places.enter(channel) else { return channel.close() }
                channel.closeFuture.whenComplete { _ in places.leave(channel) }
                return channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(ByteLimit(Self.largestRequest))
                    try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: false)
                    try pipeline.addHandler(PageHandler(host: host, places: places, page: page))
                }
            }
        do {
            channel = try await bootstrap.bind(host: address.host, port: address.port).get()
        } catch {
            try? await group.shutdownGracefully()
            throw PageServerError(address: address, error)
        }
        self.address = BindAddress(host: address.host, port: channel.localAddress?.port ?? address.port)
    }

    func run() async throws {
        try? await gracefulShutdown()
        try? await channel.close()
        try await group.shutdownGracefully()
    }
}

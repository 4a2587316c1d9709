import NIOCore
import NIOHTTPTypes

/// Lets one request of a connection through, and closes the connection behind its answer or when its time is over.
final class SingleRequest: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// Whoever has not asked and taken the answer by then is cut off.
    private static let longestLife = TimeAmount.seconds(10)
    /// The same for the head of the request.
    private static let longestHead = TimeAmount.seconds(2)

    private let places: ConnectionPlaces
    private var heads = 0
    private var deadline: Scheduled<Void>?

    init(_ places: ConnectionPlaces) { self.places = places }

    func handlerAdded(context: ChannelHandlerContext) { close(context.channel, in: Self.longestHead) }

    func handlerRemoved(context: ChannelHandlerContext) { deadline?.cancel() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head = unwrapInboundIn(data) {
            heads += 1
            if heads == 1 {
                places.noteRequest(on: context.channel)
                close(context.channel, in: Self.longestLife - Self.longestHead)
            }
        }
        if heads == 1 { context.fireChannelRead(data) }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .end = unwrapOutboundIn(data) else { return context.write(data, promise: promise) }
        let channel = context.channel
        let written = promise ?? context.eventLoop.makePromise()
        written.futureResult.whenComplete { _ in channel.close(promise: nil) }
        context.write(data, promise: written)
    }

    private func close(_ channel: any Channel, in time: TimeAmount) {
        deadline?.cancel()
        deadline = channel.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) }
    }
}

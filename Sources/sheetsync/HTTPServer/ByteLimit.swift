import NIOCore

/// Ends a connection that sends more than a request for a page can have.
final class ByteLimit: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private var left: Int

    init(_ most: Int) { left = most }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        left -= unwrapInboundIn(data).readableBytes
        if left < 0 {
            context.close(promise: nil)
        } else {
            context.fireChannelRead(data)
        }
    }
}

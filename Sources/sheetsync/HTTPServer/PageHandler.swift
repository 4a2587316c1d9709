import HostRule
import NIOCore
import NIOHTTP1

/// Answers the one request of a connection and closes it.
final class PageHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// Whoever has not asked and taken the answer by then is cut off.
    private static let longestLife = TimeAmount.seconds(10)
    /// The same for the head of the request.
    private static let longestHead = TimeAmount.seconds(2)

    private let host: String
    private let places: ConnectionPlaces
    private let page: @Sendable (String) async -> HTTPAnswer
    private var hasRequest = false
    private var end: Scheduled<Void>?

    /// Makes the handler of one connection.
    ///
    /// - Parameter host: Where the server listens; requests for a foreign one are refused.
    init(host: String, places: ConnectionPlaces, page: @escaping @Sendable (String) async -> HTTPAnswer) {
        self.host = host
        self.places = places
        self.page = page
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        end = context.eventLoop.scheduleTask(in: Self.longestHead) { channel.close(promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        end?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(let request) = unwrapInboundIn(data), !hasRequest else { return }
        hasRequest = true
        let channel = context.channel
        places.noteRequest(on: channel)
        end?.cancel()
        end = context.eventLoop.scheduleTask(in: Self.longestLife - Self.longestHead) { channel.close(promise: nil) }
        guard !HostRule.isForeign(request.headers.first(name: "Host"), own: host) else {
            return send(HTTPAnswer(status: 421, body: "This is not the server of that name.\n"), to: request, context)
        }
        guard [.GET, .HEAD].contains(request.method) else {
            return send(HTTPAnswer(status: 405, body: "These pages are for GET.\n"), to: request, context)
        }
        let loopBound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        context.eventLoop.makeFutureWithTask { [page] in await page(request.uri) }.whenSuccess { answer in
            loopBound.value.handler.send(answer, to: request, loopBound.value.context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func send(_ answer: HTTPAnswer, to request: HTTPRequestHead, _ context: ChannelHandlerContext) {
        guard context.channel.isActive else { return }
        let fields: HTTPHeaders = [
            "Content-Type": answer.type, "Content-Length": "\(answer.body.utf8.count)", "Cache-Control": "no-store",
            "Connection": "close", "X-Content-Type-Options": "nosniff",
        ]
        let head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: answer.status), headers: fields)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if request.method != .HEAD {
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: answer.body)))), promise: nil)
        }
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in channel.close(promise: nil) }
    }
}

import HTTPTypes
import HostRule
import HummingbirdCore
import Logging
import NIOCore

/// The HTTP of one connection, by Hummingbird, behind the limits of a page server.
struct PageChannel: ServerChildChannel {
    private static let largestRequest = 16 << 10

    private let places: ConnectionPlaces
    private let http: HTTP1Channel

    /// Makes what all connections have in common.
    ///
    /// - Parameters:
    ///   - host: Where the server listens; requests for a foreign one are refused.
    ///   - page: The answer to GET of a path and query.
    init(host: String, places: ConnectionPlaces, page: @escaping @Sendable (String) async -> HTTPAnswer) {
        self.places = places
        http = HTTP1Channel(
            responder: { request, writer, _ in
                let answer = await Self.answer(to: request.head, host: host, page: page)
                let body =
                    request.method == .head ? ResponseBody() : ResponseBody(byteBuffer: ByteBuffer(string: answer.body))
                try await writer.write(response: answer.head, body: body)
            },
            configuration: .init(additionalChannelHandlers: [SingleRequest(places)]))
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        let hasPlace = places.enter(channel)
        channel.closeFuture.whenComplete { _ in places.leave(channel) }
        do { try channel.pipeline.syncOperations.addHandler(ByteLimit(Self.largestRequest)) } catch {
            return channel.eventLoop.makeFailedFuture(error)
        }
        // Closed only then: a connection whose setup fails would end the whole server.
        return http.setup(channel: channel, logger: logger).always { _ in
            if !hasPlace { channel.close(promise: nil) }
        }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async { await http.handle(value: value, logger: logger) }

    private static func answer(
        to request: HTTPRequest, host: String, page: @Sendable (String) async -> HTTPAnswer
    ) async -> HTTPAnswer {
        guard !HostRule.isForeign(request.authority, own: host) else {
            return HTTPAnswer(status: 421, body: "This is not the server of that name.\n")
        }
        guard [.get, .head].contains(request.method) else {
            return HTTPAnswer(status: 405, body: "These pages are for GET.\n")
        }
        return await page(request.path ?? "")
    }
}

extension HTTPAnswer {
    fileprivate var head: HTTPResponse {
        HTTPResponse(
            status: .init(code: status),
            headerFields: [
                .contentType: type, .contentLength: "\(body.utf8.count)", .cacheControl: "no-store",
                .connection: "close",
                .xContentTypeOptions: "nosniff",
            ])
    }
}

import HTTPTypes
import HostRule
import HummingbirdCore
import HummingbirdHTTP2
import JSON
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import ServiceLifecycle
import Synchronization

/// The emulator's HTTP server: it brings requests to the core and delivers what the core says.
struct EmulatorServer: Sendable {
    /// The largest body that is read, in bytes.
    private static let greatestBodySize = 256 << 20

    /// A connection is to end without an answer.
    private struct ConnectionEnds: Error {}

    /// The first error of starting, kept until the server has stopped.
    private final class Failure: Sendable {
        private let error = Mutex<(any Error)?>(nil)

        func set(_ error: any Error) { self.error.withLock { $0 = error } }

        func check() throws {
            if let error = error.withLock(\.self) { throw error }
        }
    }

    let emulation: Emulation
    let host: String
    let port: Int
    /// What HTTPS is spoken with; nil for plain HTTP.
    let certificate: SelfSignedCertificate?
    let logger: Logger

    /// Serves until shutdown or cancellation.
    ///
    /// `onBound` is called once with the port; where it throws, the server stops and throws the same.
    func run(onBound: @escaping @Sendable (Int) async throws -> Void) async throws {
        let responder: HTTPChannelHandler.Responder = { request, writer, _ in try await respond(to: request, writer) }
        guard let certificate else {
            return try await run(HTTP1Channel(responder: responder), onBound)
        }
        let chain = try NIOSSLCertificate.fromPEMBytes(Array(certificate.pem.utf8))
        let key = try NIOSSLPrivateKey(bytes: Array(certificate.key.utf8), format: .pem)
        let configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        try await run(HTTP2UpgradeChannel(tlsConfiguration: configuration, responder: responder), onBound)
    }

    private func run(
        _ channel: some ServerChildChannel, _ onBound: @escaping @Sendable (Int) async throws -> Void
    ) async throws {
        let failure = Failure()
        let server = Server(
            childChannelSetup: channel,
            configuration: ServerConfiguration(address: .hostname(host, port: port)),
            onServerRunning: { channel in
                do { try await onBound(channel.localAddress?.port ?? 0) } catch {
                    failure.set(error)
                    channel.close(promise: nil)
                }
            },
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: quiet)
        try await server.run()
        try failure.check()
    }

    /// The server reports each connection that a fault ends as an error; here those are no news.
    private var quiet: Logger {
        var logger = logger
        logger.logLevel = max(logger.logLevel, .critical)
        return logger
    }

    @concurrent private func respond(to request: Request, _ writer: consuming ResponseWriter) async throws {
        var body: [UInt8] = []
        if let length = request.headers[.contentLength].flatMap(Int.init) {
            body.reserveCapacity(min(length, Self.greatestBodySize))
        }
        for try await part in request.body {
            guard body.count + part.readableBytes <= Self.greatestBodySize else { throw ConnectionEnds() }
            body.append(contentsOf: part.readableBytesView)
        }
        var call = EmulatorRequest(verb: request.method.rawValue, target: request.head.path ?? "/")
        call.headers = request.headers
        call.body = body
        if let refusal = Self.refusal(call, authority: request.head.authority, own: host) {
            return try await writer.write(
                response: head(refusal), body: ResponseBody(byteBuffer: buffer(refusal.body[...])))
        }
        logger.debug("\(call.verb) \(call.path)")
        switch try await emulation.respond(to: call) {
        case .send(let response):
            try await writer.write(response: head(response), body: ResponseBody(byteBuffer: buffer(response.body[...])))
        case .truncate(let response):
            var head = head(response)
            head.headerFields[.contentLength] = String(response.body.count)
            var body = try await writer.writeHead(head)
            try await body.write(buffer(response.body.prefix(response.body.count / 2)))
            throw ConnectionEnds()
        case .close: throw ConnectionEnds()
        case .hang: try await Self.hang()
        }
    }

    /// The answer to what a foreign page may have sent; nil for all else.
    private static func refusal(_ call: EmulatorRequest, authority: String?, own: String) -> EmulatorResponse? {
        if HostRule.isForeign(authority, own: own) {
            return .json(["error": "This is not the server of that name."], status: 421)
        }
        // A browser names the page that sends; what is no browser names none.
        guard call.path.hasPrefix("/emulator/"), let origin = call.header("Origin"),
            origin.split(separator: "/").last.map(String.init)?.lowercased() != authority?.lowercased()
        else { return nil }
        return .json(["error": "The controls are not for pages of other origins."], status: 403)
    }

    /// Waits until the server stops.
    private static func hang() async throws {
        try await cancelWhenGracefulShutdown {
            while true { try await Task.sleep(for: .seconds(3600)) }
        }
    }

    private func buffer(_ bytes: ArraySlice<UInt8>) -> ByteBuffer { ByteBuffer(bytes: bytes) }

    private func head(_ response: EmulatorResponse) -> HTTPResponse {
        var head = HTTPResponse(status: .init(code: response.status))
        head.headerFields[.contentType] = response.contentType
        head.headerFields[.date] = Timestamp.now.httpDate
        head.headerFields[.cacheControl] = "private"
        head.headerFields[.xContentTypeOptions] = "nosniff"
        if response.status != 204 { head.headerFields[.contentLength] = String(response.body.count) }
        for header in response.headers {
            if let name = HTTPField.Name(header.name) { head.headerFields[name] = header.value }
        }
        return head
    }
}

internal import CCurl
import HTTPTypes

/// One transfer of libcurl's with its options: the whole policy of the client stands in `prepare`.
@safe final class EasyHandle {
    private static let connectTimeout = Duration.seconds(10)
    /// How much of a large body libcurl takes at once; its default is 64 KiB.
    private static let uploadBuffer = 512 << 10

    let raw: UnsafeMutableRawPointer
    private var fields: UnsafeMutablePointer<curl_slist>?
    private let errorBuffer = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))

    /// Makes a handle; nil for lack of memory.
    init?() {
        guard let raw = unsafe curl_easy_init() else {
            unsafe errorBuffer.deallocate()
            return nil
        }
        unsafe self.raw = unsafe raw
        unsafe errorBuffer.pointee = 0
    }

    deinit {
        unsafe curl_easy_cleanup(raw)
        unsafe curl_slist_free_all(fields)
        unsafe errorBuffer.deallocate()
    }

    /// Forgets the last request, but for the TLS sessions.
    func reset() {
        unsafe curl_easy_reset(raw)
        unsafe curl_slist_free_all(fields)
        unsafe fields = nil
        unsafe errorBuffer.pointee = 0
    }

    /// Sets every option for one transfer, which must live as long as libcurl works on it.
    func prepare(for transfer: Transfer, userAgent: String, trusting trustStore: TrustStore?) {
        let request = transfer.pending.request
        set(CURLOPT_URL, request.url)
        unsafe ccurl_set_http_only(raw)
        set(CURLOPT_FOLLOWLOCATION, 0)
        set(CURLOPT_PATH_AS_IS, 1)
        if request.bypassesProxy { set(CURLOPT_NOPROXY, "*") }

        set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS))
        // Wait for the handshake that tells whether one connection serves all. Without TLS nothing tells before the first
        // answer, and nothing would be sent until then.
        set(CURLOPT_PIPEWAIT, request.isEncrypted == true ? 1 : 0)
        set(CURLOPT_TCP_KEEPALIVE, 1)
        set(CURLOPT_NOSIGNAL, 1)
        unsafe ccurl_set_quick_exit(raw)
        set(CURLOPT_CONNECTTIMEOUT_MS, Self.connectTimeout.milliseconds)
        set(CURLOPT_TIMEOUT_MS, request.timeout.milliseconds)

        unsafe trustStore?.apply(to: raw)
        set(CURLOPT_USERAGENT, userAgent)
        set(CURLOPT_ACCEPT_ENCODING, "gzip")
        setMethod(request)
        setFields(request.fields)
        setCallbacks(transfer)
        unsafe ccurl_set_pointer(raw, CURLOPT_ERRORBUFFER, errorBuffer)
    }

    /// libcurl's words for an outcome.
    func errorText(_ outcome: CURLcode) -> String {
        let detail = unsafe String(cString: errorBuffer)
        return detail.isEmpty ? unsafe String(cString: curl_easy_strerror(outcome)) : detail
    }

    /// The transfer that a handle of libcurl's was prepared for.
    static func transfer(of raw: UnsafeMutableRawPointer) -> Transfer? {
        var pointer: UnsafeMutablePointer<CChar>?
        unsafe ccurl_get_pointer(raw, CURLINFO_PRIVATE, &pointer)
        return unsafe pointer.map { unsafe Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
    }

    private func setMethod(_ request: HTTPClient.Request) {
        switch request.method {
        case .head: set(CURLOPT_NOBODY, 1)
        case .get where request.body.isEmpty, .delete where request.body.isEmpty: set(CURLOPT_HTTPGET, 1)
        default:
            // Not CURLOPT_POST, which would add a Content-Type of its own.
            set(CURLOPT_UPLOAD, 1)
            unsafe ccurl_set_offset(raw, CURLOPT_INFILESIZE_LARGE, curl_off_t(request.body.count))
            if request.body.count > Self.uploadBuffer { set(CURLOPT_UPLOAD_BUFFERSIZE, Self.uploadBuffer) }
        }
        set(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
    }

    private func setFields(_ httpFields: HTTPFields) {
        for field in httpFields {
            // A field without a value is spelled with a semicolon; a colon alone would take the field out.
            append(field.value.isEmpty ? "\(field.name.rawName);" : "\(field.name.rawName): \(field.value)")
        }
        // Without it libcurl waits a second for the server's consent before a large body.
        append("Expect:")
        unsafe ccurl_set_list(raw, CURLOPT_HTTPHEADER, fields)
    }

    private func append(_ line: String) {
        guard let list = unsafe curl_slist_append(fields, line) else { return }
        unsafe fields = unsafe list
    }

    private func setCallbacks(_ transfer: Transfer) {
        let pointer = unsafe Unmanaged.passUnretained(transfer).toOpaque()
        unsafe ccurl_set_pointer(raw, CURLOPT_PRIVATE, pointer)
        unsafe ccurl_set_pointer(raw, CURLOPT_HEADERDATA, pointer)
        unsafe ccurl_set_pointer(raw, CURLOPT_WRITEDATA, pointer)
        unsafe ccurl_set_pointer(raw, CURLOPT_READDATA, pointer)
        unsafe ccurl_set_pointer(raw, CURLOPT_PREREQDATA, pointer)

        unsafe ccurl_set_data_callback(raw, CURLOPT_HEADERFUNCTION) { bytes, _, count, pointer in
            let line = unsafe UnsafeBufferPointer(start: bytes, count: count)
            return unsafe Transfer.at(pointer)?.receive(line: line.lazy.map(UInt8.init(bitPattern:))) == true
                ? count : 0
        }
        unsafe ccurl_set_data_callback(raw, CURLOPT_WRITEFUNCTION) { bytes, _, count, pointer in
            let piece = unsafe UnsafeRawBufferPointer(start: bytes, count: count)
            return unsafe Transfer.at(pointer)?.receive(body: piece) == true ? count : 0
        }
        unsafe ccurl_set_data_callback(raw, CURLOPT_READFUNCTION) { room, size, count, pointer in
            guard let piece = unsafe Transfer.at(pointer)?.nextPiece(atMost: size * count) else {
                return Int(CURL_READFUNC_ABORT)
            }
            unsafe UnsafeMutableRawBufferPointer(start: room, count: size * count).copyBytes(from: piece)
            return piece.count
        }
        // libcurl sends a request again by itself when a reused connection breaks without an answer, although the server
        // may have done the work. It must rewind the body for that, and here it cannot.
        unsafe ccurl_set_seek_callback(raw) { _, _, _ in CURL_SEEKFUNC_FAIL }
        unsafe ccurl_set_prereq_callback(raw) { pointer, _, _, _, _ in
            unsafe Transfer.at(pointer)?.begin() == true ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
        }
    }

    private func set(_ option: CURLoption, _ value: Int) { unsafe ccurl_set_long(raw, option, value) }

    private func set(_ option: CURLoption, _ value: String) { unsafe ccurl_set_text(raw, option, value) }
}

extension Transfer {
    /// The transfer behind a callback's pointer.
    fileprivate static func at(_ pointer: UnsafeMutableRawPointer?) -> Transfer? {
        unsafe pointer.map { unsafe Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
    }
}

extension Duration {
    /// Whole milliseconds, at least one: libcurl takes zero for "no limit".
    fileprivate var milliseconds: Int {
        max(1, Int(components.seconds) * 1000 + Int(components.attoseconds / 1_000_000_000_000_000))
    }
}

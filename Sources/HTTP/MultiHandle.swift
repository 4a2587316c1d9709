internal import CCurl

/// libcurl's set of running transfers, with its connections.
///
/// Confined to the client's thread but for `wakeUp`, which libcurl allows from everywhere.
@safe final class MultiHandle: @unchecked Sendable {
    private let raw: UnsafeMutableRawPointer

    /// Makes a set; nil where libcurl cannot.
    init?() {
        guard Self.isLibraryReady, let raw = unsafe curl_multi_init() else { return nil }
        unsafe self.raw = unsafe raw
        unsafe ccurl_multi_set_long(raw, CURLMOPT_PIPELINING, Int(CURLPIPE_MULTIPLEX))
    }

    deinit { unsafe curl_multi_cleanup(raw) }

    /// libcurl's own preparation, once a process.
    private static let isLibraryReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    /// Ends the thread's wait, or the next one if it does not wait just now.
    func wakeUp() { unsafe curl_multi_wakeup(raw) }

    /// Adds a transfer that has its options.
    func add(_ easy: EasyHandle) -> Bool { unsafe curl_multi_add_handle(raw, easy.raw) == CURLM_OK }

    /// Takes a transfer away, finished or not; one under way is aborted.
    func remove(_ easy: EasyHandle) { unsafe curl_multi_remove_handle(raw, easy.raw) }

    /// Does all that can be done without waiting.
    func perform() {
        var count: Int32 = 0
        unsafe curl_multi_perform(raw, &count)
    }

    /// The next transfer that came to an end, and how.
    func nextFinished() -> (Transfer, CURLcode)? {
        var left: Int32 = 0
        while let message = unsafe curl_multi_info_read(raw, &left) {
            guard unsafe message.pointee.msg == CURLMSG_DONE else { continue }
            if let transfer = unsafe EasyHandle.transfer(of: message.pointee.easy_handle) {
                return unsafe (transfer, message.pointee.data.result)
            }
        }
        return nil
    }

    /// Sleeps until a socket is ready, one of libcurl's own deadlines comes, or somebody wakes it up.
    func wait() { unsafe curl_multi_poll(raw, nil, 0, .max, nil) }
}

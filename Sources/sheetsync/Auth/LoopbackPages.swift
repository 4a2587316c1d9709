import Output

/// Pages for a browser on this machine, for as long as a command runs.
enum LoopbackPages {
    /// Serves pages on 127.0.0.1 while the body runs, which is given the port.
    ///
    /// - Parameters:
    ///   - port: 0 for any that is free.
    ///   - page: the answer to a path and query.
    /// - Throws: what the body throws, or `CommandFailure` where the port cannot be had.
    static func serve<Result>(
        port: Int, page: @escaping @Sendable (String) async -> HTTPAnswer,
        while body: (_ port: Int) async throws -> Result
    ) async throws -> Result {
        let server: PageServer
        do throws(PageServerError) {
            server = try await PageServer(BindAddress(host: "127.0.0.1", port: port), page: page)
        } catch {
            throw CommandFailure(
                status: .settings, message: "\(error): choose another port by --port, or none for any that is free")
        }
        let serving = Task { try await server.run() }
        let outcome: Swift.Result<Result, any Error>
        do { outcome = .success(try await body(server.address.port)) } catch { outcome = .failure(error) }
        // The last page is on its way to the browser yet.
        try? await Task.sleep(for: .milliseconds(300))
        serving.cancel()
        _ = try? await serving.value
        return try outcome.get()
    }
}

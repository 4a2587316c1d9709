/// What the jobs of a worker may hold of memory together, reckoned by the sizes of their payloads.
///
/// A job is taken to hold 4 MiB, such as a piece of rows on its way to a server, and 8 bytes for each byte of its payload: its
/// text, what is read of it, what is sent. The database function `claim` reckons in bytes of payloads, 512 KiB more a job.
struct MemoryBudget: Sendable {
    private static let perJob = 4 << 20
    private static let perPayloadByte = 8

    /// In bytes.
    let limit: Int

    /// The room that a job needs.
    static func room(forPayload bytes: Int) -> Int { bytes + perJob / perPayloadByte }

    /// How many bytes further payloads may have together, beside those of the jobs that run.
    func room(beside jobs: Int, payloadBytes: Int) -> Int {
        max(0, limit - jobs * Self.perJob - payloadBytes * Self.perPayloadByte) / Self.perPayloadByte
    }
}

/// A loop that a worker's work hangs on; each says when it will be back, so that one that hangs is noticed alone.
public enum WorkerLoop: String, Sendable, CaseIterable {
    /// Signs in to the queue.
    case entry
    /// Claims jobs.
    case claims
    /// Shows signs of life, and takes the jobs of dead workers back.
    case beats
    /// Writes how jobs ended.
    case completions

    /// What it does, for people.
    public var words: String {
        switch self {
        case .entry: "the loop that signs in to the queue"
        case .claims: "the loop that claims jobs"
        case .beats: "the loop that shows signs of life"
        case .completions: "the loop that writes how jobs ended"
        }
    }
}

/// What a worker tells whoever watches it, from the loops that do its work.
public enum WorkerEvent: Sendable {
    /// It has signed in and claims jobs from now on; comes again where it begins anew.
    case entered
    /// A sign of life has reached the database.
    case beat(inFlight: Int)
    /// A job's end is written: the job's kind, and the state that it is in now.
    case ended(kind: String, state: String)
    /// A statement failed; the worker will try again.
    case failed(String)
    /// Why no job can begin or end here, for as long as that lasts; nil when it is over.
    case hindered(String?)
    /// A loop has come round, and comes again after at most this rest and what it has to do; nil where it waits for others or
    /// has ended.
    case iterated(WorkerLoop, nextWithin: Duration?)
    /// It claims no more jobs, because it was told to stop or does not fit the schema any more.
    case stopping
}

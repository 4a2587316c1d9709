/// What went wrong with a job whose rows are all written by then.
struct PostWriteFailure: Error {
    let cause: any Error
}

/// What went wrong with a job whose rows are all written by then.
struct FailureBehindData: Error {
    let cause: any Error
}

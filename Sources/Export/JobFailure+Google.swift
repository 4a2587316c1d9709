import Google
import JobQueue

extension JobFailure {
    /// Decides what becomes of a job that Google refused.
    ///
    /// To wait for one's turn (a quota's window, a service that is down) costs no attempt; everything else that may pass costs
    /// one. What is wrong with the installation (a revoked key, a missing scope) says nothing about the job, which waits until
    /// somebody has mended that.
    init(_ error: GoogleError) {
        let retry: Retry =
            switch error.retry {
            case .wait(let pause): .snooze(pause)
            case _ where error.code.concernsInstallation: .snooze(.seconds(60))
            case .after(let pause) where error.code == .rateLimited: .snooze(pause)
            case .never: .never
            case .backoff: .backoff
            case .after(let pause): .after(pause)
            case .slowly: .after(.seconds(900))
            }
        self.init(code: error.code.rawValue, message: error.description, retry: retry)
    }

    /// The shared drive of the settings cannot be used by whoever asks; all jobs wait until somebody mends that.
    ///
    /// - Parameter objection: What is wrong with it, as `DriveClient.sharedDriveObjection` says it.
    static func missingDrive(_ id: String, _ objection: String) -> JobFailure {
        JobFailure(
            code: GoogleError.Code.notFound.rawValue,
            message: "The shared drive \(id), which GOOGLE_DRIVE_SHARED_DRIVE_ID names, \(objection).",
            retry: .snooze(.seconds(60)), needsMending: true)
    }

    /// A payload that would be refused again.
    init(_ error: PayloadError) {
        self.init(code: error.code.rawValue, message: error.description, retry: .never)
    }
}

/// Runs a handler's work and turns the errors of the modules it uses into failures of the job.
func failingAsJob<Result>(_ body: () async throws -> Result) async throws -> Result {
    do {
        return try await body()
    } catch let error as GoogleError {
        throw JobFailure(error)
    } catch let error as PayloadError {
        throw JobFailure(error)
    }
}

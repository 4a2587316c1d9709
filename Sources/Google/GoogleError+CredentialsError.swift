extension GoogleError {
    /// Without usable credentials there is no call.
    init(_ error: CredentialsError) {
        self.init(
            .credentials, message: "The credentials cannot be used. \(error).", reason: error.code.rawValue,
            retry: .never)
    }
}

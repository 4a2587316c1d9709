public import JobQueue

extension Migration {
    /// The queue's steps and those of the jobs of this module.
    public static let sheetsync =
        queue + [
            Migration(number: 10, name: "google", embedded: PackageResources.v0010_google_sql),
            Migration(number: 11, name: "trial", embedded: PackageResources.v0011_trial_sql),
        ]
}

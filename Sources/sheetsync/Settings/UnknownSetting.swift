import Export

/// A name in the environment that looks like a setting of this program and is none, mostly a misspelt one.
struct UnknownSetting {
    let name: String

    /// The settings, as `docs/settings.md` lists them.
    static let known = [
        "DATABASE_URL", "SSL_REQUIRED", "DATABASE_CA_CERT", "SHEETSYNC_SCHEMA",
        "GOOGLE_SHEETS_CREDENTIALS_PATH", "GOOGLE_SHEETS_CREDENTIALS", "GOOGLE_APPLICATION_CREDENTIALS",
        "GOOGLE_SHEETS_TOKEN_PATH", "GOOGLE_OAUTH_CLIENT_ID", "GOOGLE_OAUTH_CLIENT_SECRET",
        "GOOGLE_IMPERSONATE_SUBJECT", "GOOGLE_DRIVE_SHARED_DRIVE_ID",
        "GOOGLE_DRIVE_ENABLE_FOLDERS", "GOOGLE_DRIVE_DEFAULT_FOLDER", "GOOGLE_SHEETS_TEMPLATES_PATH",
        "SHEETSYNC_SHARING", "SHEETSYNC_SHARING_DOMAINS", "SHEETSYNC_TARGETS", "SHEETSYNC_BATCH_BYTES",
        "SHEETSYNC_SOURCE_DATABASE_URL", "SHEETSYNC_SOURCE_DATABASE_URLS",
        "SHEETSYNC_QUERY_TIMEOUT", "SHEETSYNC_SPOOL_DIR", "SHEETSYNC_SPOOL_MAX_MB",
        "GOOGLE_SHEETS_ENABLE_CSV_FALLBACK", "SHEETSYNC_EXPORT_DIR", "SHEETSYNC_EXPORT_MAX_MB", "SHEETSYNC_LIST_DELAY",
        "GOOGLE_API_ENDPOINT", "GOOGLE_CA_CERT", "GCE_METADATA_HOST",
        "SHEETSYNC_SHEETS_WRITES_PER_MINUTE_USER", "SHEETSYNC_SHEETS_WRITES_PER_MINUTE_PROJECT",
        "SHEETSYNC_SHEETS_READS_PER_MINUTE_USER", "SHEETSYNC_SHEETS_READS_PER_MINUTE_PROJECT",
        "SHEETSYNC_DRIVE_CREATES_PER_MINUTE_USER", "SHEETSYNC_QUOTA_WINDOW", "SHEETSYNC_CONCURRENCY",
        "SHEETSYNC_MEMORY_MB",
        "SHEETSYNC_POLL_INTERVAL", "SHEETSYNC_LEASE_SECONDS", "SHEETSYNC_SHUTDOWN_GRACE",
        "SHEETSYNC_RETENTION_DAYS", "SHEETSYNC_KEEP_PAYLOADS", "MAX_CONTENT_SIZE_MB", "LOG_LEVEL", "LOG_FORMAT",
        "SHEETSYNC_HTTP_ADDRESS", "ENABLE_TELEMETRY",
    ]

    private static let prefixes = ["SHEETSYNC_", "GOOGLE_SHEETS_", "GOOGLE_DRIVE_"]

    /// The name if it is unknown; nil where it is a setting, or nothing of this program's.
    init?(_ name: String) {
        guard Self.prefixes.contains(where: name.hasPrefix), !Self.known.contains(name),
            !Self.isOfAService(name)
        else { return nil }
        self.name = name
    }

    /// Whether it is one of those that Kubernetes sets in every container for a service such as `sheetsync`.
    private static func isOfAService(_ name: String) -> Bool {
        name.hasSuffix("_PORT") || name.contains("_PORT_") || name.contains("_SERVICE_HOST")
    }

    /// That it does nothing, and which name may be meant.
    var warning: String {
        "\(name) is no setting and does nothing\(Suggestion.hint(for: name, among: Self.known))"
    }
}

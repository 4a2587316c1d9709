import JSON

/// What Google answers when a quota is used up.
enum QuotaError {
    /// Whose quota it is.
    enum Scope {
        case user, project
    }

    /// Files are made too fast: no figure, and not how long to wait.
    static let creations: GoogleError = {
        var error = GoogleError(code: 403, message: "User Rate Limit Exceeded", reason: "userRateLimitExceeded")
        error.domain = "usageLimits"
        return error
    }()

    /// The error: 429 with all particulars from Sheets, 403 from Drive.
    static func make(_ metric: QuotaMeter.Metric, scope: Scope, limit: Int, windowStart: Timestamp) -> GoogleError {
        let (title, service): (String, String) =
            switch metric {
            case .sheetsReads: ("Read requests", "sheets")
            case .sheetsWrites: ("Write requests", "sheets")
            case .driveUnits: ("Quota units", "drive")
            case .driveQueries: ("Queries", "drive")
            }
        let message =
            "Quota exceeded for quota metric '\(title)' and limit '\(title) per minute"
            + "\(scope == .user ? " per user" : "")' of service '\(service).googleapis.com' for consumer "
            + "'project_number:123456789012'."
        let name =
            switch metric {
            case .sheetsReads: "ReadRequests"
            case .sheetsWrites: "WriteRequests"
            case .driveUnits: "QuotaUnits"
            case .driveQueries: "Queries"
            }
        let info: JSON = [
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "RATE_LIMIT_EXCEEDED",
            "domain": "googleapis.com",
            "metadata": [
                "window_start_time": .string(windowStart.rfc3339),
                "quota_metric": .string(
                    "\(service).googleapis.com/" + title.lowercased().replacing(" ", with: "_")),
                "quota_unit": .string(scope == .user ? "1/min/{project}/{user}" : "1/min/{project}"),
                "quota_limit": .string("\(name)PerMinutePer\(scope == .user ? "User" : "Project")"),
                "quota_limit_value": .string(String(limit)),
                "quota_location": "global",
                "service": .string("\(service).googleapis.com"),
                "consumer": "projects/123456789012",
            ],
        ]
        let help: JSON = [
            "@type": "type.googleapis.com/google.rpc.Help",
            "links": [
                [
                    "description": "Request a higher quota limit.",
                    "url": "https://cloud.google.com/docs/quotas/help/request_increase",
                ]
            ],
        ]
        let isDrive = service == "drive"
        var error = GoogleError(
            code: isDrive ? 403 : 429, message: message,
            reason: scope == .user && isDrive ? "userRateLimitExceeded" : "rateLimitExceeded")
        error.details = [info, help]
        error.domain = "usageLimits"
        error.isMixed = isDrive
        return error
    }
}

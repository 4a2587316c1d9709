import JSON

/// The errors that faults answer with, in the words that Google uses with such a status.
enum FaultError {
    /// The error for an API.
    static func make(_ api: GoogleAPI, status: Int, reason: String?, message: String?, now: Timestamp) -> GoogleError {
        var error: GoogleError
        switch (api, status) {
        case (.oauth, _), (.sts, _), (.idp, _):
            error = GoogleError(
                code: status, message: message ?? "Backend Error",
                reason: reason ?? (status < 500 ? "invalid_request" : "internal_failure"))
        case (.sheets, 429):
            error = QuotaError.make(.sheetsWrites, scope: .user, limit: 60, windowStart: now.minute)
            if let message { error.message = message }
        case (.sheets, _) where reason == "SERVICE_DISABLED",
            (.iamcredentials, _) where reason == "SERVICE_DISABLED":
            error = GoogleError(
                code: status,
                message: message
                    ?? "Google Sheets API has not been used in project 123456789012 before or it is disabled.",
                status: "PERMISSION_DENIED")
            error.details = [
                [
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED",
                    "domain": "googleapis.com", "metadata": ["service": "sheets.googleapis.com"],
                ]
            ]
        case (.sheets, _), (.iamcredentials, _), (.metadata, _):
            // For Sheets a reason is the canonical status.
            error = GoogleError(code: status, message: message ?? sentence(status), status: reason)
        case (.drive, _):
            error = GoogleError(code: status, message: message ?? sentence(status), reason: reason)
            if ["rateLimitExceeded", "userRateLimitExceeded", "storageQuotaExceeded", "dailyLimitExceeded"].contains(
                error.reason)
            {
                error.domain = "usageLimits"
            }
        }
        return error
    }

    private static func sentence(_ status: Int) -> String {
        switch status {
        case 401: "Request had invalid authentication credentials."
        case 403: "The caller does not have permission"
        case 404: "Requested entity was not found."
        case 429: "Rate Limit Exceeded"
        case 503: "The service is currently unavailable."
        case 504: "Deadline exceeded."
        case 500...599: "Internal error encountered."
        default: "Request contains an invalid argument."
        }
    }
}

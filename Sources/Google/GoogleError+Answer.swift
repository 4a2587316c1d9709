public import HTTPTypes

/// The one place that tells what an answer of Drive or Sheets means.
extension GoogleError {
    private typealias Verdict = (code: Code, retry: Retry)

    /// Classifies an answer that is not the success asked for.
    ///
    /// By the `reason` first, then the canonical `status`, then the HTTP status; never by the `domain`, which calls a full
    /// storage a usage limit. A 2xx status means an answer that could not be read.
    ///
    /// - Parameter receivedAt: the time for answers without a `Date` header of their own.
    public init(status: Int, fields: HTTPFields, body: [UInt8], receivedAt: Timestamp) {
        let body = ErrorBody(body)
        let verdict = Self.verdict(status, body)
        let now = fields[.date].flatMap { Timestamp(httpDate: $0) } ?? receivedAt
        self.init(
            verdict.code,
            googleMessage: body.message, status: status, reason: body.reasons.first ?? body.status,
            retry: Self.wait(verdict, body, retryAfter: fields[.retryAfter], now: now) ?? verdict.retry,
            mayHaveTakenEffect: status >= 500 || status == 408 || (200..<300).contains(status),
            quota: body.quota)
    }

    private static func verdict(_ status: Int, _ body: ErrorBody) -> Verdict {
        if !body.isFromAPI { return verdictOnForeign(status, isBlocked: body.isBlocked) }
        if let special = verdictByMessage(body.message ?? "") { return special }
        // A quota by the day has the same reason as one by the minute.
        if let quota = body.quota, !quota.isPerMinute { return (.dailyLimitExceeded, .slowly) }
        for reason in body.reasons { if let verdict = verdictByReason(reason) { return verdict } }
        return body.status.flatMap { verdictByCanonicalStatus($0) } ?? verdictByStatus(status)
    }

    /// Cases that only Google's words tell apart.
    private static func verdictByMessage(_ message: String) -> Verdict? {
        if message.contains("above the limit of 10000000 cells") { return (.cellLimitExceeded, .never) }
        if message.contains("Request payload size exceeds") { return (.requestTooLarge, .never) }
        if message.contains("successfully shared but emails could not be sent") { return (.notificationFailed, .never) }
        // With the full stop it is the limit by the day, without it the one by the minute.
        if message == "User rate limit exceeded." { return (.dailyLimitExceeded, .slowly) }
        return nil
    }

    private static func verdictByReason(_ reason: String) -> Verdict? {
        switch reason {
        case "rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED": (.rateLimited, .backoff)
        case "quotaExceeded", "dailyLimitExceeded": (.dailyLimitExceeded, .slowly)
        case "sharingRateLimitExceeded": (.sharingRateLimited, .slowly)
        case "backendError", "internalError", "transientError", "badGateway": (.unavailable, .backoff)
        case "gatewayTimeout": (.timedOut, .backoff)
        case "storageQuotaExceeded": (.storageQuotaExceeded, .never)
        case "teamDriveFileLimitExceeded", "numChildrenInNonRootLimitExceeded", "activeItemCreationLimitExceeded",
            "myDriveHierarchyDepthLimitExceeded", "teamDriveHierarchyTooDeep":
            (.driveLimitExceeded, .never)
        case "insufficientFilePermissions", "insufficientParentPermissions", "teamDriveMembershipRequired",
            "cannotModifyInheritedTeamDrivePermission", "forbidden":
            (.permissionDenied, .never)
        case "insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT": (.insufficientScope, .never)
        case "appNotAuthorizedToFile": (.appNotAuthorized, .never)
        case "domainPolicy": (.domainPolicy, .never)
        case "SERVICE_DISABLED", "accessNotConfigured": (.apiDisabled, .slowly)
        case "USER_PROJECT_DENIED", "CONSUMER_INVALID": (.quotaProject, .slowly)
        case "invalidSharingRequest": (.sharingRefused, .never)
        case "notFound": (.notFound, .never)
        case "authError": (.unauthenticated, .slowly)
        case "conflict": (.aborted, .backoff)
        case "uploadTooLarge": (.requestTooLarge, .never)
        default: nil
        }
    }

    private static func verdictByCanonicalStatus(_ status: String) -> Verdict? {
        switch status {
        case "RESOURCE_EXHAUSTED": (.rateLimited, .backoff)
        case "UNAVAILABLE", "INTERNAL", "UNKNOWN", "DATA_LOSS", "CANCELLED": (.unavailable, .backoff)
        case "DEADLINE_EXCEEDED": (.timedOut, .backoff)
        case "ABORTED": (.aborted, .backoff)
        case "ALREADY_EXISTS": (.alreadyExists, .never)
        case "NOT_FOUND": (.notFound, .never)
        case "PERMISSION_DENIED": (.permissionDenied, .never)
        case "UNAUTHENTICATED": (.unauthenticated, .slowly)
        case "INVALID_ARGUMENT", "FAILED_PRECONDITION", "OUT_OF_RANGE", "UNIMPLEMENTED": (.badRequest, .never)
        default: nil
        }
    }

    private static func verdictByStatus(_ status: Int) -> Verdict {
        switch status {
        case 401: (.unauthenticated, .slowly)
        case 403: (.permissionDenied, .never)
        case 404: (.notFound, .never)
        case 408, 504: (.timedOut, .backoff)
        case 409: (.alreadyExists, .never)
        case 413: (.requestTooLarge, .never)
        case 429: (.rateLimited, .backoff)
        case 400..<500: (.badRequest, .never)
        case 500...: (.unavailable, .backoff)
        default: (.badAnswer, .backoff)
        }
    }

    /// HTML, an empty body, broken JSON: from Google's front, from a proxy, or from a server that is not Google's at all.
    private static func verdictOnForeign(_ status: Int, isBlocked: Bool) -> Verdict {
        if isBlocked { return (.rateLimited, .slowly) }
        return switch status {
        case 403, 404, 405: (.badAnswer, .slowly)
        default: verdictByStatus(status)
        }
    }

    /// How long Google asks to wait: by header, by detail, or by the quota's minute; nil where it does not.
    private static func wait(_ verdict: Verdict, _ body: ErrorBody, retryAfter: String?, now: Timestamp) -> Retry? {
        guard verdict.retry != .never else { return nil }
        if let retryAfter {
            let seconds = Int(retryAfter) ?? Timestamp(httpDate: retryAfter).map { $0.seconds - now.seconds }
            if let seconds { return .after(.seconds(min(max(seconds, 1), 86400))) }
        }
        guard verdict.retry == .backoff else { return nil }
        if let delay = body.retryDelay, delay.isFinite { return .after(.seconds(min(max(delay, 1), 86400))) }
        if verdict.code == .rateLimited, let quota = body.quota, quota.isPerMinute, let start = quota.windowStart {
            let left = start.milliseconds + 60_000 - now.milliseconds
            return .after(.milliseconds(min(max(left, 1000), 60_000)))
        }
        return nil
    }
}

public import HTTPTypes

/// The one place that tells what an answer of Drive or Sheets means.
extension GoogleError {
    /// What an answer means: its code, when to try again, and advice where the reason has its own.
    private struct Verdict {
        let code: Code
        let retry: Retry
        /// What happened and what to do; nil for the code's own words.
        var message: String?
        /// Whether nobody knows Google's reason, so that its own words are all that can be said.
        var isUnexplained = false

        init(_ code: Code, _ retry: Retry, _ message: String? = nil) {
            self.code = code
            self.retry = retry
            self.message = message
        }
    }

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
            message: verdict.isUnexplained
                ? "Google refused the call: \(body.message ?? "it did not say why.")" : verdict.message,
            googleMessage: body.message, status: status, reason: body.reasons.first ?? body.status,
            retry: Self.wait(verdict, body, retryAfter: fields[.retryAfter], now: now) ?? verdict.retry,
            mayHaveTakenEffect: status >= 500 || status == 408 || (200..<300).contains(status),
            quota: body.quota)
    }

    private static func verdict(_ status: Int, _ body: ErrorBody) -> Verdict {
        if !body.isFromAPI { return verdictOnForeign(status, isBlocked: body.isBlocked) }
        if let special = verdictByMessage(body.message ?? "") { return special }
        // A quota by the day has the same reason as one by the minute.
        if let quota = body.quota, !quota.isPerMinute { return Verdict(.dailyLimitExceeded, .slowly) }
        for reason in body.reasons { if let verdict = verdictByReason(reason) { return verdict } }
        var verdict = body.status.flatMap { verdictByCanonicalStatus($0) } ?? verdictByStatus(status)
        // Advice would be a guess. What passes by itself needs none.
        verdict.isUnexplained = !body.reasons.isEmpty && verdict.retry == .never
        return verdict
    }

    /// Cases that only Google's words tell apart.
    private static func verdictByMessage(_ message: String) -> Verdict? {
        if message.contains("above the limit of 10000000 cells") { return Verdict(.cellLimitExceeded, .never) }
        if message.contains("Request payload size exceeds") { return Verdict(.requestTooLarge, .never) }
        if message.contains("successfully shared but emails could not be sent") {
            return Verdict(.notificationFailed, .never)
        }
        // With the full stop it is the limit by the day, without it the one by the minute.
        if message == "User rate limit exceeded." { return Verdict(.dailyLimitExceeded, .slowly) }
        return nil
    }

    private static func verdictByReason(_ reason: String) -> Verdict? {
        switch reason {
        case "rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED": Verdict(.rateLimited, .backoff)
        case "quotaExceeded", "dailyLimitExceeded": Verdict(.dailyLimitExceeded, .slowly)
        case "sharingRateLimitExceeded": Verdict(.sharingRateLimited, .slowly)
        case "backendError", "internalError", "transientError", "badGateway": Verdict(.unavailable, .backoff)
        case "gatewayTimeout": Verdict(.timedOut, .backoff)
        case "storageQuotaExceeded": Verdict(.storageQuotaExceeded, .never)
        case "teamDriveFileLimitExceeded", "numChildrenInNonRootLimitExceeded", "activeItemCreationLimitExceeded",
            "myDriveHierarchyDepthLimitExceeded", "teamDriveHierarchyTooDeep":
            Verdict(.driveLimitExceeded, .never)
        case "insufficientFilePermissions", "forbidden": Verdict(.permissionDenied, .never)
        case "insufficientParentPermissions":
            Verdict(
                .permissionDenied, .never,
                "This identity may not put files into the folder; give it the right to edit the folder.")
        case "teamDriveMembershipRequired":
            Verdict(
                .permissionDenied, .never,
                "This identity is no member of the shared drive; make it a content manager of the drive.")
        case "cannotModifyInheritedTeamDrivePermission":
            Verdict(
                .permissionDenied, .never,
                "The permission comes from the shared drive or a folder above, and can be changed there alone.")
        case "parentNotAFolder":
            Verdict(.badRequest, .never, "What should be the folder is a file that is none; name a folder's id.")
        case "insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT": Verdict(.insufficientScope, .never)
        case "appNotAuthorizedToFile": Verdict(.appNotAuthorized, .never)
        case "domainPolicy": Verdict(.domainPolicy, .never)
        case "SERVICE_DISABLED", "accessNotConfigured": Verdict(.apiDisabled, .slowly)
        case "USER_PROJECT_DENIED", "CONSUMER_INVALID": Verdict(.quotaProject, .slowly)
        case "invalidSharingRequest": Verdict(.sharingRefused, .never)
        case "notFound": Verdict(.notFound, .never)
        case "authError": Verdict(.unauthenticated, .slowly)
        case "conflict": Verdict(.aborted, .backoff)
        case "uploadTooLarge": Verdict(.requestTooLarge, .never)
        default: nil
        }
    }

    private static func verdictByCanonicalStatus(_ status: String) -> Verdict? {
        switch status {
        case "RESOURCE_EXHAUSTED": Verdict(.rateLimited, .backoff)
        case "UNAVAILABLE", "INTERNAL", "UNKNOWN", "DATA_LOSS", "CANCELLED": Verdict(.unavailable, .backoff)
        case "DEADLINE_EXCEEDED": Verdict(.timedOut, .backoff)
        case "ABORTED": Verdict(.aborted, .backoff)
        case "ALREADY_EXISTS": Verdict(.alreadyExists, .never)
        case "NOT_FOUND": Verdict(.notFound, .never)
        case "PERMISSION_DENIED": Verdict(.permissionDenied, .never)
        case "UNAUTHENTICATED": Verdict(.unauthenticated, .slowly)
        case "INVALID_ARGUMENT", "FAILED_PRECONDITION", "OUT_OF_RANGE", "UNIMPLEMENTED": Verdict(.badRequest, .never)
        default: nil
        }
    }

    private static func verdictByStatus(_ status: Int) -> Verdict {
        switch status {
        case 401: Verdict(.unauthenticated, .slowly)
        case 403: Verdict(.permissionDenied, .never)
        case 404: Verdict(.notFound, .never)
        case 408, 504: Verdict(.timedOut, .backoff)
        case 409: Verdict(.alreadyExists, .never)
        case 413: Verdict(.requestTooLarge, .never)
        case 429: Verdict(.rateLimited, .backoff)
        case 400..<500: Verdict(.badRequest, .never)
        case 500...: Verdict(.unavailable, .backoff)
        default: Verdict(.badAnswer, .backoff)
        }
    }

    /// HTML, an empty body, broken JSON: from Google's front, from a proxy, or from a server that is not Google's at all.
    private static func verdictOnForeign(_ status: Int, isBlocked: Bool) -> Verdict {
        if isBlocked { return Verdict(.rateLimited, .slowly) }
        return switch status {
        case 403, 404, 405: Verdict(.badAnswer, .slowly)
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

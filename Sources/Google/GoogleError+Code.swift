extension GoogleError {
    /// What went wrong, in a form that programs compare and that stays the same between versions.
    public enum Code: String, Sendable, CaseIterable {
        case badRequest = "google.bad_request"
        case cellLimitExceeded = "google.cell_limit_exceeded"
        case requestTooLarge = "google.request_too_large"
        case notFound = "google.not_found"
        case alreadyExists = "google.already_exists"
        case aborted = "google.aborted"

        case permissionDenied = "google.permission_denied"
        case appNotAuthorized = "google.app_not_authorized"
        case domainPolicy = "google.domain_policy"
        case sharingRefused = "google.sharing_refused"
        case notificationFailed = "google.notification_failed"

        case storageQuotaExceeded = "google.storage_quota_exceeded"
        case driveLimitExceeded = "google.drive_limit_exceeded"
        case rateLimited = "google.rate_limited"
        case dailyLimitExceeded = "google.daily_limit_exceeded"
        case sharingRateLimited = "google.sharing_rate_limited"

        case unavailable = "google.unavailable"
        case timedOut = "google.timed_out"
        case unreachable = "google.unreachable"
        case connectionLost = "google.connection_lost"
        case badAnswer = "google.bad_answer"
        case answerTooLarge = "google.answer_too_large"
        case cancelled = "google.cancelled"
        case waiting = "google.waiting"

        case badEndpoint = "google.bad_endpoint"
        case apiDisabled = "google.api_disabled"
        case unauthenticated = "google.unauthenticated"
        case insufficientScope = "google.insufficient_scope"
        case quotaProject = "google.quota_project"
        case credentials = "google.credentials"
        case clockSkew = "google.clock_skew"
        case invalidGrant = "google.invalid_grant"
        case invalidClient = "google.invalid_client"
        case unauthorizedClient = "google.unauthorized_client"
        case accessDenied = "google.access_denied"
        case invalidScope = "google.invalid_scope"
        case invalidRequest = "google.invalid_request"
    }
}

extension GoogleError.Code {
    /// Whether the installation is at fault and not this call: every other job would fail in the same way.
    public var concernsInstallation: Bool {
        switch self {
        case .badEndpoint, .apiDisabled, .unauthenticated, .insufficientScope, .quotaProject, .credentials, .clockSkew,
            .invalidGrant, .invalidClient, .unauthorizedClient, .accessDenied, .invalidScope, .invalidRequest:
            true
        default: false
        }
    }

    /// Whether the service failed, so that many such errors in a row mean that it is down.
    public var isFaultOfService: Bool {
        switch self {
        case .unavailable, .timedOut, .unreachable, .connectionLost, .badAnswer: true
        default: false
        }
    }

    /// What happened and what to do, where nothing more special is known.
    public var message: String {
        switch self {
        case .badRequest: "Google refused the request as not valid."
        case .cellLimitExceeded:
            "The spreadsheet would grow beyond Google's limit of 10 million cells (empty ones count); "
                + "split the data over several spreadsheets."
        case .requestTooLarge: "The request is larger than Google takes; send fewer rows at once."
        case .notFound:
            "The file or folder does not exist, or this identity may not see it; check the id and share it with the identity."
        case .alreadyExists: "A file with this id exists already."
        case .aborted: "Google gave up the call because another one changed the same thing."
        case .permissionDenied:
            "This identity may not do that; give it the right to edit the file or folder."
        case .appNotAuthorized:
            "The user has not given this application access to the file; use the full drive scope or open the file with it."
        case .domainPolicy: "The Google Workspace domain forbids this; its administrator can allow it."
        case .sharingRefused: "Google refused to share with this address; check that it exists and may receive shares."
        case .notificationFailed: "The file is shared, but Google could not send the notification."
        case .storageQuotaExceeded:
            "The identity has no storage left. A service account owns none at all: create files in a shared drive "
                + "(GOOGLE_DRIVE_SHARED_DRIVE_ID), act for a user (GOOGLE_IMPERSONATE_SUBJECT) or use a user's token."
        case .driveLimitExceeded:
            "The folder, drive or account holds as many items, or levels of folders, as Google allows; use another folder."
        case .rateLimited: "Google's quota for this minute is used up; the call can be made again later."
        case .dailyLimitExceeded: "A daily limit of Google's is used up; it is free again within a day."
        case .sharingRateLimited:
            "Google limits how fast files are shared; share the folder once, or without notifications."
        case .unavailable: "Google has a fault of its own for the moment."
        case .timedOut: "Google did not answer in time; the work may be done nevertheless."
        case .unreachable: "Google could not be reached."
        case .connectionLost: "The connection to Google broke before the answer was complete; the work may be done."
        case .badAnswer: "What came back is not an answer of Google's API; check the endpoint and proxies on the way."
        case .answerTooLarge: "Google's answer is larger than expected; ask for fewer fields or rows."
        case .cancelled: "The call was cancelled."
        case .waiting: "The call waits its turn."
        case .badEndpoint:
            "The endpoint is not an absolute http or https URL; check GOOGLE_API_ENDPOINT and the credentials' token_uri."
        case .apiDisabled:
            "The Google Sheets API or the Google Drive API is not enabled in this Cloud project; enable both in the console "
                + "under APIs & Services > Library and wait some minutes."
        case .unauthenticated:
            "Google does not accept the access token, not even a new one; check that the service account or the user's "
                + "consent still exists."
        case .insufficientScope:
            "The access token lacks a scope; the scopes drive and spreadsheets must be granted, so authorise the user again."
        case .quotaProject:
            "Calls may not be counted for the Cloud project that quota_project_id of the credentials names: check its id, and "
                + "grant the identity the role Service Usage Consumer (roles/serviceusage.serviceUsageConsumer) there."
        case .credentials: "The credentials cannot be used."
        case .clockSkew:
            "Google takes this machine's clock to be wrong; set it by NTP (timedatectl shows whether it is synchronised)."
        case .invalidGrant: "Google does not accept the credentials."
        case .invalidClient:
            "Google does not know the OAuth client, or its secret is wrong; compare the file with the console under "
                + "APIs & Services > Credentials."
        case .unauthorizedClient:
            "The service account may not act for this user; in the Workspace admin console, under Security > API controls > "
                + "Domain-wide delegation, allow its client id the scopes drive and spreadsheets. A new grant takes a while."
        case .accessDenied:
            "Access is denied by an administrator of the Google Workspace domain or of the Cloud project."
        case .invalidScope: "Google does not accept the scopes drive and spreadsheets for this client."
        case .invalidRequest: "Google does not accept the request for a token."
        }
    }
}

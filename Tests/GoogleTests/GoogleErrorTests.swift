import HTTPTypes
import JSON
import Testing

@testable import Google

/// What each answer means.
///
/// The bodies have the shapes that Google sends, with both of its kinds of error objects.
@Suite struct GoogleErrorTests {
    private static let html = "<!DOCTYPE html><html><title>Error (Not Found)!!1</title></html>"
    private static let blocked =
        "<html><body>We're sorry... but your computer or network may be sending automated queries.</body></html>"

    private static func drive(_ code: Int, _ reason: String, _ message: String = "words", domain: String = "global")
        -> String
    {
        #"{"error":{"errors":[{"domain":"\#(domain)","reason":"\#(reason)","message":"\#(message)"}],"code":\#(code),"message":"\#(message)"}}"#
    }

    private static func sheets(_ code: Int, _ status: String, _ message: String = "words", details: String = "")
        -> String
    {
        #"{"error":{"code":\#(code),"message":"\#(message)","status":"\#(status)"\#(details)}}"#
    }

    private static func info(_ reason: String, _ metadata: String = "{}") -> String {
        #","details":[{"@type":"type.googleapis.com/google.rpc.Help","links":[]},{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"\#(reason)","domain":"googleapis.com","metadata":\#(metadata)}]"#
    }

    private func error(_ status: Int, _ body: String, _ fields: HTTPFields = [:]) -> GoogleError {
        GoogleError(
            status: status, fields: fields, body: Array(body.utf8), receivedAt: Timestamp(seconds: 1_790_000_000))
    }

    @Test(arguments: [
        (
            403, drive(403, "rateLimitExceeded", domain: "usageLimits"), GoogleError.Code.rateLimited,
            GoogleError.Retry.backoff
        ),
        (403, drive(403, "userRateLimitExceeded", domain: "usageLimits"), .rateLimited, .backoff),
        (429, drive(429, "rateLimitExceeded"), .rateLimited, .backoff),
        (403, drive(403, "userRateLimitExceeded", "User rate limit exceeded."), .dailyLimitExceeded, .slowly),
        (403, drive(403, "dailyLimitExceeded"), .dailyLimitExceeded, .slowly),
        (403, drive(403, "quotaExceeded"), .dailyLimitExceeded, .slowly),
        (403, drive(403, "sharingRateLimitExceeded"), .sharingRateLimited, .slowly),
        // A full storage comes with the domain of rate limits, and is none.
        (403, drive(403, "storageQuotaExceeded", domain: "usageLimits"), .storageQuotaExceeded, .never),
        (403, drive(403, "storageQuotaExceeded"), .storageQuotaExceeded, .never),
        (403, drive(403, "teamDriveFileLimitExceeded"), .driveLimitExceeded, .never),
        (403, drive(403, "numChildrenInNonRootLimitExceeded"), .driveLimitExceeded, .never),
        (403, drive(403, "myDriveHierarchyDepthLimitExceeded"), .driveLimitExceeded, .never),
        (403, drive(403, "insufficientFilePermissions"), .permissionDenied, .never),
        (403, drive(403, "forbidden"), .permissionDenied, .never),
        (403, drive(403, "insufficientPermissions"), .insufficientScope, .never),
        (403, drive(403, "appNotAuthorizedToFile"), .appNotAuthorized, .never),
        (403, drive(403, "domainPolicy"), .domainPolicy, .never),
        (403, drive(403, "accessNotConfigured", domain: "usageLimits"), .apiDisabled, .slowly),
        (403, drive(403, "somethingNew"), .permissionDenied, .never),
        (400, drive(400, "invalidSharingRequest"), .sharingRefused, .never),
        (
            400,
            drive(400, "invalidSharingRequest", "The items were successfully shared but emails could not be sent."),
            .notificationFailed, .never
        ),
        (400, drive(400, "invalid"), .badRequest, .never),
        (400, drive(400, "required"), .badRequest, .never),
        (401, drive(401, "authError"), .unauthenticated, .slowly),
        (401, drive(401, "required", "Login Required."), .unauthenticated, .slowly),
        (404, drive(404, "notFound"), .notFound, .never),
        (409, drive(409, "fileIdInUse"), .alreadyExists, .never),
        (409, drive(409, "conflict"), .aborted, .backoff),
        (500, drive(500, "backendError"), .unavailable, .backoff),
        (500, drive(500, "internalError"), .unavailable, .backoff),
        (503, drive(503, "transientError"), .unavailable, .backoff),
        (504, drive(504, "gatewayTimeout"), .timedOut, .backoff),

        (
            400, sheets(400, "INVALID_ARGUMENT", "Invalid requests[2].updateCells: No grid with id: 9"), .badRequest,
            .never
        ),
        (
            400,
            sheets(
                400, "INVALID_ARGUMENT",
                "Invalid requests[45].addSheet: This action would increase the number of cells in the workbook above the limit of 10000000 cells."
            ), .cellLimitExceeded, .never
        ),
        (400, sheets(400, "FAILED_PRECONDITION"), .badRequest, .never),
        (
            400, sheets(400, "INVALID_ARGUMENT", "Request payload size exceeds the limit: 10485760 bytes."),
            .requestTooLarge, .never
        ),
        (401, sheets(401, "UNAUTHENTICATED", details: info("ACCESS_TOKEN_EXPIRED")), .unauthenticated, .slowly),
        (403, sheets(403, "PERMISSION_DENIED", "The caller does not have permission"), .permissionDenied, .never),
        (403, sheets(403, "PERMISSION_DENIED", details: info("SERVICE_DISABLED")), .apiDisabled, .slowly),
        (
            403, sheets(403, "PERMISSION_DENIED", details: info("ACCESS_TOKEN_SCOPE_INSUFFICIENT")), .insufficientScope,
            .never
        ),
        (404, sheets(404, "NOT_FOUND"), .notFound, .never),
        (409, sheets(409, "ABORTED"), .aborted, .backoff),
        (409, sheets(409, "ALREADY_EXISTS"), .alreadyExists, .never),
        (429, sheets(429, "RESOURCE_EXHAUSTED"), .rateLimited, .backoff),
        (429, sheets(429, "RESOURCE_EXHAUSTED", details: info("RATE_LIMIT_EXCEEDED")), .rateLimited, .backoff),
        (500, sheets(500, "INTERNAL"), .unavailable, .backoff),
        (503, sheets(503, "UNAVAILABLE"), .unavailable, .backoff),
        (504, sheets(504, "DEADLINE_EXCEEDED"), .timedOut, .backoff),
        (418, sheets(418, "SOMETHING_NEW"), .badRequest, .never),

        (404, html, .badAnswer, .slowly),
        (403, html, .badAnswer, .slowly),
        (400, html, .badRequest, .never),
        (408, html, .timedOut, .backoff),
        (413, html, .requestTooLarge, .never),
        (429, html, .rateLimited, .backoff),
        (429, blocked, .rateLimited, .slowly),
        (503, blocked, .rateLimited, .slowly),
        (500, html, .unavailable, .backoff),
        (502, html, .unavailable, .backoff),
        (504, html, .timedOut, .backoff),
        (302, html, .badAnswer, .backoff),
        (200, html, .badAnswer, .backoff),
        (200, "", .badAnswer, .backoff),
        (200, #"{"spreadsheetId":"1","repl"#, .badAnswer, .backoff),
        (503, "", .unavailable, .backoff),
        (503, #"{"error":{"code":503,"mess"#, .unavailable, .backoff),
        (403, #"{"error":"flat"}"#, .badAnswer, .slowly),
        (403, #"{"error":{}}"#, .permissionDenied, .never),
        (403, #"{"error":{"errors":7,"details":"x","message":[],"status":null}}"#, .permissionDenied, .never),
    ])
    func classifies(status: Int, body: String, code: GoogleError.Code, retry: GoogleError.Retry) {
        let error = error(status, body)
        #expect(error.code == code)
        #expect(error.retry == retry)
        #expect(error.status == status)
        #expect(error.mayHaveTakenEffect == (status >= 500 || status == 408 || status == 200))
        #expect(error.message.count > 20)
    }

    @Test func aReasonInDetailsGoesBeforeTheOldOne() {
        let body =
            #"{"error":{"code":403,"message":"Request had insufficient authentication scopes.","errors":[{"message":"Insufficient Permission","domain":"global","reason":"insufficientPermissions"}],"status":"PERMISSION_DENIED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"ACCESS_TOKEN_SCOPE_INSUFFICIENT","domain":"googleapis.com"}]}}"#
        let error = error(403, body)
        #expect(error.code == .insufficientScope)
        #expect(error.reason == "ACCESS_TOKEN_SCOPE_INSUFFICIENT")
    }

    private func quota(_ window: String, unit: String = "1/min/{project}/{user}") -> String {
        Self.sheets(
            429, "RESOURCE_EXHAUSTED",
            details: Self.info(
                "RATE_LIMIT_EXCEEDED",
                #"{"window_start_time":"\#(window)","quota_metric":"sheets.googleapis.com/write_requests","quota_unit":"\#(unit)","quota_limit":"WriteRequestsPerMinutePerUser","quota_limit_value":"60","consumer":"projects/1"}"#
            ))
    }

    @Test func aQuotaTellsItsFactsAndItsWait() throws {
        // The answer's own date counts, whatever this machine's clock says.
        let error = error(429, quota("2026-09-30T12:34:00Z"), [.date: "Wed, 30 Sep 2026 12:34:20 GMT"])
        #expect(error.retry == .after(.seconds(40)))
        #expect(!error.mayHaveTakenEffect)
        let facts = try #require(error.quota)
        #expect(facts.name == "WriteRequestsPerMinutePerUser")
        #expect(facts.metric == "sheets.googleapis.com/write_requests")
        #expect(facts.value == 60)
        #expect(facts.isPerUser)
        #expect(facts.windowStart == Timestamp(rfc3339: "2026-09-30T12:34:00Z"))
    }

    @Test(arguments: [
        ("2026-09-30T12:20:00Z", GoogleError.Retry.after(.seconds(1))), ("2026-09-30T13:00:00Z", .after(.seconds(60))),
        ("nonsense", .backoff),
    ])
    func aWindowOutOfOrderDoesNoHarm(window: String, retry: GoogleError.Retry) {
        #expect(error(429, quota(window), [.date: "Wed, 30 Sep 2026 12:34:20 GMT"]).retry == retry)
    }

    @Test func aQuotaByTheDayIsNotWaitedForByTheMinute() {
        let error = error(429, quota("2026-09-30T12:34:00Z", unit: "1/d/{project}"))
        #expect(error.code == .dailyLimitExceeded)
        #expect(error.retry == .slowly)
    }

    @Test func retryAfterIsHonouredWhereARetryHelps() {
        let date: HTTPFields = [.retryAfter: "Wed, 30 Sep 2026 12:36:00 GMT", .date: "Wed, 30 Sep 2026 12:34:20 GMT"]
        #expect(error(503, "", [.retryAfter: "30"]).retry == .after(.seconds(30)))
        #expect(error(503, "", date).retry == .after(.seconds(100)))
        #expect(error(429, quota("2026-09-30T12:34:00Z"), [.retryAfter: "7"]).retry == .after(.seconds(7)))
        #expect(error(503, "", [.retryAfter: "-5"]).retry == .after(.seconds(1)))
        #expect(error(503, "", [.retryAfter: "soon"]).retry == .backoff)
        #expect(error(404, Self.drive(404, "notFound"), [.retryAfter: "30"]).retry == .never)
        let detail = #","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"12.5s"}]"#
        #expect(error(503, Self.sheets(503, "UNAVAILABLE", details: detail)).retry == .after(.seconds(12.5)))
    }

    @Test func wordsOfGooglesCarryNoSecretsAndNoData() throws {
        let message =
            #"Invalid value at 'data.values[0]' (type.googleapis.com/google.protobuf.ListValue), \"SALARY 9000\"\nInvalid value at 'x' (Y), \"SALARY\"\n ya29.SALARY eyJSALARY.x token=1//SALARY\u0007 end"#
        let words = try #require(error(400, Self.sheets(400, "INVALID_ARGUMENT", message)).googleMessage)
        #expect(
            words.hasPrefix("Invalid value at 'data.values[0]' (type.googleapis.com/google.protobuf.ListValue) Invalid")
        )
        #expect(words.hasSuffix("[secret] [secret] [secret] end"))
        #expect(!words.contains("SALARY"))
        let long = String(repeating: "long ", count: 1000)
        #expect(try #require(error(400, Self.sheets(400, "INVALID_ARGUMENT", long)).googleMessage).count < 410)
    }

    @Test func aDescriptionTellsEverything() {
        let text = error(
            403, Self.drive(403, "storageQuotaExceeded", "The user's Drive storage quota has been exceeded.")
        ).description
        #expect(text.contains("GOOGLE_DRIVE_SHARED_DRIVE_ID"))
        #expect(
            text.hasSuffix(
                "Google says: The user's Drive storage quota has been exceeded. (HTTP 403, storageQuotaExceeded)"))
    }

    /// Advice follows the reason; where that is not known, Google's own words come first and there is none.
    @Test func adviceFollowsTheReason() {
        for reason in [
            "cannotCopyFile", "fileNotDownloadable", "invalidParent", "cannotAddParent", "fieldNotWritable",
            "limitExceeded", "somethingNew",
        ] {
            let text = error(403, Self.drive(403, reason, "Google's own words.")).description
            #expect(text == "Google refused the call: Google's own words. (HTTP 403, \(reason))")
        }
        let unknown = error(404, Self.drive(404, "somethingNew", "It is not here."))
        #expect(unknown.code == .notFound && unknown.description.hasPrefix("Google refused the call: It is not here."))
        for (reason, advice) in [
            ("insufficientFilePermissions", "give it the right to edit the file or folder"),
            ("insufficientParentPermissions", "give it the right to edit the folder"),
            ("teamDriveMembershipRequired", "make it a content manager of the drive"),
            ("cannotModifyInheritedTeamDrivePermission", "can be changed there alone"),
            ("parentNotAFolder", "name a folder's id"), ("storageQuotaExceeded", "A service account owns none at all"),
        ] {
            let text = error(403, Self.drive(403, reason, "Words.")).description
            #expect(text.contains(advice) && text.hasSuffix("Google says: Words. (HTTP 403, \(reason))"), "\(text)")
            #expect(!text.contains("cannot own files"), "\(text)")
        }
        // What passes by itself needs no advice.
        #expect(error(503, Self.drive(503, "somethingNew", "Later.")).message == GoogleError.Code.unavailable.message)
    }

    @Test func codesAreStableAndEachHasASentence() {
        for code in GoogleError.Code.allCases {
            #expect(code.rawValue.hasPrefix("google."))
            #expect(code.message.hasSuffix("."))
        }
        #expect(Set(GoogleError.Code.allCases.map(\.rawValue)).count == GoogleError.Code.allCases.count)
    }
}

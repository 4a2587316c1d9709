import HTTPTypes
import Testing

@testable import Google

/// What the token endpoint's refusals mean, for a service account, for one that acts for a user, and for a user.
@Suite struct OAuthErrorTests {
    private enum Who: CaseIterable { case account, delegated, user }

    private func credentials(_ who: Who) throws -> Credentials {
        let google = try FakeGoogle()
        return switch who {
        case .account: try google.serviceAccount()
        case .delegated: try google.serviceAccount(subject: "ann@example.org")
        case .user: try google.user()
        }
    }

    private func error(
        _ status: Int, _ body: String, _ who: Who, fields: HTTPFields = [:]
    ) throws -> GoogleError {
        GoogleError(tokenStatus: status, fields: fields, body: Array(body.utf8), for: try credentials(who).kind)
    }

    private typealias Case = (Who, String, String, GoogleError.Code, GoogleError.Retry, String)

    private static let cases: [Case] = [
        (
            .account, "invalid_grant",
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.", .clockSkew,
            .slowly,
            "clock"
        ),
        (.account, "invalid_grant", "Invalid JWT Signature.", .invalidGrant, .never, "new JSON key"),
        (.delegated, "invalid_grant", "Invalid JWT Signature.", .invalidGrant, .never, "new JSON key"),
        (.account, "invalid_grant", "Invalid grant: account not found", .invalidGrant, .never, "does not exist"),
        (.delegated, "invalid_grant", "Invalid email or User ID", .invalidGrant, .never, "GOOGLE_IMPERSONATE_SUBJECT"),
        (
            .delegated, "invalid_grant", "The account has been deleted", .invalidGrant, .never,
            "GOOGLE_IMPERSONATE_SUBJECT"
        ),
        (.user, "invalid_grant", "Token has been expired or revoked.", .invalidGrant, .never, "7 days"),
        (.user, "invalid_grant", "Bad Request", .invalidGrant, .never, "authorise again"),
        (.user, "invalid_grant", "reauth related error (invalid_rapt)", .invalidGrant, .never, "authorise again"),
        (
            .delegated, "unauthorized_client",
            "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.",
            .unauthorizedClient, .slowly, "Domain-wide delegation"
        ),
        (.user, "unauthorized_client", "Unauthorized", .unauthorizedClient, .never, "another OAuth client"),
        (
            .delegated, "access_denied", "Requested client not authorized.", .accessDenied, .slowly,
            "Domain-wide delegation"
        ),
        (.user, "admin_policy_enforced", "x", .accessDenied, .never, "administrator"),
        (
            .delegated, "invalid_request", "Invalid impersonation \\\"sub\\\" field.", .invalidRequest, .never,
            "e-mail address"
        ),
        (.account, "invalid_request", "Missing parameter", .invalidRequest, .never, "token"),
        (.user, "invalid_client", "The OAuth client was not found.", .invalidClient, .never, "secret is wrong"),
        (.account, "invalid_scope", "x", .invalidScope, .never, "scopes"),
        (.account, "internal_failure", "Backend Error", .unavailable, .backoff, "fault of its own"),
        (.user, "temporarily_unavailable", "x", .unavailable, .backoff, "fault of its own"),
        (.user, "something_new", "x", .badAnswer, .slowly, "token_uri"),
    ]

    @Test(arguments: 0..<cases.count)
    func refusals(number: Int) throws {
        let (who, name, words, code, retry, sentence) = Self.cases[number]
        let error = try error(400, #"{"error":"\#(name)","error_description":"\#(words)"}"#, who)
        #expect(error.code == code)
        #expect(error.retry == retry)
        #expect(error.message.contains(sentence), "\(error)")
        #expect(error.reason == name)
        #expect(error.googleMessage?.isEmpty == false)
        #expect(!error.mayHaveTakenEffect)
    }

    @Test func answersThatAreNoRefusals() throws {
        #expect(try error(503, "<html>", .account, fields: [.retryAfter: "3"]).retry == .after(.seconds(3)))
        #expect(try error(500, "", .account).code == .unavailable)
        #expect(try error(404, "<html>", .account).code == .badAnswer)
        #expect(try error(200, "{\"id_token\":\"x\"}", .account).retry == .backoff)
        #expect(try error(429, "{}", .account).code == .rateLimited)
        #expect(try error(400, #"{"error":{"code":400}}"#, .account).code == .badAnswer)
    }
}

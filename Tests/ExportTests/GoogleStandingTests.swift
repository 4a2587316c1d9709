import JobQueue
import TestSupport
import Testing

@testable import Export

/// What people are told of Google's quotas, failing services and access tokens.
@Suite struct GoogleStandingTests {
    /// Whoever works at Google is shown with the end of its token, what is left of its quotas and what fails for it.
    @Test func identitiesAreShownWithTokenQuotaAndBreaker() async throws {
        let queue = try await TestQueue.make(Migration.sheetsync)
        _ = try await queue.psql(
            """
            insert into sheetsync.google_token values ('a', now() + interval '1 hour'), ('b', now());
            insert into sheetsync.google_quota (name, configured, span, window_offset, window_index, used, calls)
            select x.name, x.configured, '60 s', w.begins, floor((w.now - w.begins) / 60), x.used, x.used
            from (select e as now, mod(e::numeric + 30, 60) as begins from extract(epoch from now()) e) w,
                (values ('sheets_writes/user/a', 60, 7), ('sheets_writes/project', 300, 0)) x (name, configured, used);
            insert into sheetsync.google_breaker (name, reason, until)
            values ('drive/c', 'It is off.', now() + interval '20 s')
            """)
        let standing = try await GoogleStanding.read(queue.schema, on: queue.connection)
        let identities = standing.identities
        try #require(identities.map(\.account) == ["a", "b", "c"], "\(identities)")
        #expect((3500...3600).contains(identities[0].tokenLeft ?? 0), "\(identities)")
        #expect((identities[1].tokenLeft ?? 1) <= 0 && identities[2].tokenLeft == nil, "\(identities)")
        #expect(identities[0].quotas.map(\.left) == [53] && identities[1].quotas.isEmpty, "\(identities)")
        #expect(identities[2].breakers.map(\.service) == ["drive"] && identities[0].breakers.isEmpty, "\(identities)")
    }

    /// Slots that passed while nobody called are not calls that were made.
    @Test func whatIsUsedAndWhatIsFreeAreToldApart() async throws {
        let queue = try await TestQueue.make(Migration.sheetsync)
        var settings = QuotaSettings()
        settings.window = .seconds(3600)
        let ledger = QuotaLedger(on: queue.connection, schema: "sheetsync", account: "a", settings: settings)
        _ = try await ledger.take(1, of: .driveCreates, returning: nil)
        // Two thirds of the window are over, and three files were made.
        _ = try await queue.psql(
            """
            update sheetsync.google_quota
            set window_offset = mod(extract(epoch from now())::numeric - 2400, 3600), used = 0, calls = 0
            """)
        for _ in 1...3 {
            let grant = try await ledger.take(1, of: .driveCreates, returning: nil)
            #expect(grant.amount == 1)
        }
        let quota = try #require(try await GoogleStanding.read(queue.schema, on: queue.connection).quotas.first)
        #expect(quota.name == "drive_creates/user/a" && quota.used == 3 && quota.allowed == 120, "\(quota)")
        #expect((1...4).contains(quota.free) && !quota.isUsedUp, "\(quota)")
        // What is caught up is taken too.
        let rest = try await ledger.take(4, of: .driveCreates, returning: nil)
        let short = try #require(try await GoogleStanding.read(queue.schema, on: queue.connection).quotas.first)
        #expect(short.used == 3 + rest.amount && short.free == 0 && short.isUsedUp, "\(short)")
        #expect(!short.words.contains("used up") || !short.isPaced, "\(short)")
    }

    /// A producer's job waits for what its kind needs of Google, and for nothing else.
    @Test func aJobWaitsForWhatItsKindNeeds() async throws {
        let queue = try await TestQueue.make(Migration.sheetsync)
        let login = "producer_of_\(queue.database)"
        _ = try await queue.psql(
            """
            create role \(login) login; grant sheetsync_producer to \(login);
            insert into sheetsync.google_breaker (name, reason, until) values
                ('drive/a', 'The API is off.', now() + interval '20 s'), ('sheets/a', 'It is old.', now() - interval '1 day');
            insert into sheetsync.google_quota (name, configured, span, closed_until)
            values ('sheets_writes/user/a', 60, '60 s', now() + interval '30 s')
            """)
        let connection = try queue.connection(as: login)
        let standing = try await GoogleStanding.readAsProducer(queue.schema, on: connection)
        #expect(standing.quotas.map(\.holder) == ["a"] && standing.quotas.allSatisfy(\.isUsedUp), "\(standing.quotas)")
        let export = standing.causes(ofKind: "export")
        #expect(export.failures.count == 1 && export.limits.count == 1, "\(export)")
        #expect(
            export.failures.first?.words.contains("Google Drive fails for a since ") == true
                && export.failures.first?.words.hasSuffix("The API is off.") == true, "\(export)")
        #expect(export.limits.first?.words.hasPrefix("the quota sheets_writes of a is used up") == true, "\(export)")
        let format = standing.causes(ofKind: "format")
        #expect(format.failures.isEmpty && format.limits.count == 1, "\(format)")
        let noop = standing.causes(ofKind: "noop")
        #expect(noop.failures.isEmpty && noop.limits.isEmpty, "\(noop)")
    }
}

import Foundation
import Postgres
import PostgresServer
import Testing

/// Who gets into a throw-away server.
@Suite(.serialized) struct PostgresServerTests {
    private func user(_ url: String) async throws -> String {
        let connection = Connection(try ConnectionConfiguration(url: url), label: "test")
        let name = try await connection.query("select current_user::text as name")[0].text("name")
        await connection.close()
        return name
    }

    @Test func onlyItsOwnUserComesToItsSocketAndNobodyOverTCP() async throws {
        try await PostgresServer.run { server in
            #expect(try await user(server.url()) == "postgres")
            let rights = try FileManager.default.attributesOfItem(atPath: server.directory)[.posixPermissions]
            #expect(rights as? Int == 0o700)
            let error = await #expect(throws: PostgresError.self) { try await user(server.tcpURL()) }
            #expect(error?.description.contains("refused") == true, "\(String(describing: error))")
        }
    }

    @Test func overTCPTheSuperuserNeedsThePassword() async throws {
        try await PostgresServer.run(overTCP: true) { server in
            let name = try await user(server.tcpURL())
            #expect(name == "postgres")
            for login in ["postgres", "postgres:wrong"] {
                let url = "postgresql://\(login)@127.0.0.1:\(server.port)/postgres"
                let error = await #expect(throws: PostgresError.self) { try await user(url) }
                #expect(error?.description.contains("password") == true, "\(String(describing: error))")
            }
        }
    }
}

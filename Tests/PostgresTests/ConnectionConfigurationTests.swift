import Testing

@testable import Postgres

@Suite struct ConnectionConfigurationTests {
    private func keywords(_ url: String, sslRequired: Bool = false, ca: String? = nil) throws -> [String: String] {
        let configuration = try ConnectionConfiguration(url: url, sslRequired: sslRequired, certificateAuthority: ca)
        return Dictionary(configuration.keywords.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
    }

    @Test func readsAPlainURL() throws {
        let found = try keywords("postgres://app:p%40ss%2Fw%3A@db.example:6432/sales?sslmode=verify-full")
        #expect(found["user"] == "app")
        #expect(found["password"] == "p@ss/w:")
        #expect(found["host"] == "db.example")
        #expect(found["port"] == "6432")
        #expect(found["dbname"] == "sales")
        #expect(found["sslmode"] == "verify-full")
    }

    @Test(arguments: ["postgresql+asyncpg", "postgresql+psycopg2", "postgresql+psycopg", "postgres"])
    func understandsSQLAlchemy(scheme: String) throws {
        let found = try keywords("\(scheme)://u:p@h/d?ssl=require")
        #expect(found["sslmode"] == "require")
        #expect(found["host"] == "h")
        #expect(found["dbname"] == "d")
    }

    @Test func readsSocketsSeveralHostsAndBrackets() throws {
        #expect(try keywords("postgresql:///app?host=/run/postgresql&port=5433")["host"] == "/run/postgresql")
        let several = try keywords("postgresql://u@a:1,b:2/d")
        #expect(several["host"] == "a,b")
        #expect(several["port"] == "1,2")
        #expect(try keywords("postgresql://u@[::1]:5/d")["host"] == "::1")
        #expect(try keywords("postgresql://u@[::1]/d")["port"] == nil)
    }

    @Test func takesAPasswordWithUnescapedSigns() throws {
        let found = try keywords("postgresql://u:a@b/c@h:5/d")
        #expect(found["password"] == "a@b/c")
        #expect(found["host"] == "h")
    }

    @Test func demandsTLS() throws {
        #expect(try keywords("postgres://h/d?sslmode=disable", sslRequired: true)["sslmode"] == "require")
        #expect(try keywords("postgres://h/d?sslmode=verify-ca", sslRequired: true)["sslmode"] == "verify-ca")
        let verified = try keywords("postgres://h/d?sslmode=disable", ca: "/etc/ca.pem")
        #expect(verified["sslmode"] == "verify-full")
        #expect(verified["sslrootcert"] == "/etc/ca.pem")
    }

    @Test(arguments: [
        "sekret", "mysql://u:sekret@h/d", "postgres://u:sekret@h:99999/d", "postgres://u:%zzsekret@h/d",
        "postgres://u:sekret@h/d?nonsense=sekret", "postgres://u:sekret@[::1/d",
    ])
    func refusesWithoutShowingThePassword(url: String) {
        let error = #expect(throws: PostgresError.self) { try ConnectionConfiguration(url: url) }
        #expect(error?.code == .configuration)
        #expect(error?.description.contains("sekret") == false)
    }
}

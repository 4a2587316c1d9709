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
        #expect(try keywords("postgres://h/d?sslmode=verify-ca", ca: "/etc/ca.pem")["sslmode"] == "verify-ca")
        #expect(try keywords("postgres://h/d?ssl=true")["sslmode"] == "require")
        #expect(throws: PostgresError.self) { try keywords("postgres://h/d?ssl=no-verify") }
    }

    @Test func takesEveryParameterThatLibpqKnows() throws {
        #expect(LibpqParameters.names.count > 30 && LibpqParameters.names.contains("service"))
        for name in LibpqParameters.names {
            let found = try keywords("postgres://h/d?\(name)=7")
            // Texts are always decoded as UTF-8.
            #expect(found[name] == (name == "client_encoding" ? "UTF8" : "7"), "\(name)")
        }
        let service = try ConnectionConfiguration(url: "postgresql://?service=queue")
        #expect(service.place == "the service queue")
        #expect(throws: PostgresError.self) {
            try ConnectionConfiguration(url: "postgresql://?service=queue", sslRequired: true)
        }
        #expect(
            try keywords("postgresql://?service=queue&sslmode=verify-full", sslRequired: true)["sslmode"]
                == "verify-full")
    }

    @Test func namesTheParametersOfOthersAsTheirs() throws {
        let url =
            "postgres://u:sekret@h/d?schema=app&connection_limit=5&prepared_statement_cache_size=0&sslmode=require"
        let configuration = try ConnectionConfiguration(url: url)
        #expect(configuration.warnings.count == 3, "\(configuration.warnings)")
        #expect(configuration.warnings.first?.contains("schema, which is Prisma's and not libpq's") == true)
        #expect(configuration.warnings.last?.contains("SQLAlchemy's") == true)
        #expect(try keywords(url)["sslmode"] == "require")
        for (name, word) in [("sslaccept", "Prisma's"), ("server_settings", "SQLAlchemy's")] {
            let error = #expect(throws: PostgresError.self) {
                try ConnectionConfiguration(url: "postgres://h/d?\(name)=sekret")
            }
            #expect(error?.description.contains(word) == true && error?.description.contains("sekret") == false)
        }
    }

    @Test func saysHowSignsOfAPasswordAreWritten() {
        for (url, word) in [
            ("postgres://u:pass#sekret@h/d", "%23"), ("postgres://u:pass?sekret@h/d", "%3F"),
            ("postgres://u:pass?sekret@h/d?sslmode=require", "%3F"), ("postgres://u:pass?se=kret@h:5/d", "%3F"),
        ] {
            let error = #expect(throws: PostgresError.self) { try ConnectionConfiguration(url: url) }
            #expect(error?.description.contains(word) == true, "\(error as Any)")
            #expect(error?.description.contains("kret") == false && error?.description.contains("pass?") == false)
        }
        // An address of mail as a user is none of those.
        #expect(throws: Never.self) { try ConnectionConfiguration(url: "postgres://h?user=a@b.example") }
    }

    @Test func ofSeveralHostsTheOneThatWritesIsTaken() throws {
        #expect(try keywords("postgres://a,b/d")["target_session_attrs"] == "read-write")
        #expect(try keywords("postgres://a,b/d?target_session_attrs=any")["target_session_attrs"] == "any")
        #expect(try keywords("postgres://a/d")["target_session_attrs"] == nil)
        let source = try ConnectionConfiguration(url: "postgres://a,b/d", onlyReads: true)
        #expect(!source.keywords.contains { $0.name == "target_session_attrs" })
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

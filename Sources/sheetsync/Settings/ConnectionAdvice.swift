import Postgres

extension PostgresError {
    /// Which setting to look at when no connection can be made.
    ///
    /// libpq gives no code for these failures, only its own English words; a server that speaks another language, and
    /// whatever is not known here, gets the general advice.
    var connectionAdvice: String {
        let advice: [(words: [String], text: String)] = [
            (
                ["does not support SSL"],
                "Switch TLS on at the server, or require none (SSL_REQUIRED, DATABASE_CA_CERT, sslmode in DATABASE_URL)."
            ),
            (
                ["certificate verify failed", "root certificate file"],
                "Give DATABASE_CA_CERT the certificate of the authority that issued the server's."
            ),
            (
                ["does not match host name"],
                "Name the server in DATABASE_URL as its certificate does, or give it a certificate for this name."
            ),
            (
                ["no pg_hba.conf entry"],
                "The server's pg_hba.conf lets this login in only otherwise, often only with TLS: see SSL_REQUIRED."
            ),
            (
                ["password authentication failed", "no password supplied"],
                "Check the user and the password in DATABASE_URL; signs such as @ : / ? # % stand there as %40 and so on."
            ),
        ]
        return advice.first { $0.words.contains { message.contains($0) } }?.text
            ?? "Check DATABASE_URL and that the server runs."
    }
}

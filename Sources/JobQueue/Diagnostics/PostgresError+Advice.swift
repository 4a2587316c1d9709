public import Postgres

extension PostgresError {
    /// Which setting to look at when no connection can be made.
    ///
    /// libpq gives no code for these failures, only its own English words; a server that speaks another language, and
    /// whatever is not known here, gets the general advice.
    public var connectionAdvice: String {
        let advice: [(words: [String], text: String)] = [
            (
                ["too many clients", "remaining connection slots", "too many connections", "no more connections"],
                "The server lives and has no connection left for this login: end some, or raise max_connections or the limit of "
                    + "the role or the database; a daemon needs four."
            ),
            (
                ["could not open certificate file"],
                "libpq looks for a client's certificate under HOME: let HOME name a folder that this user may read, or set sslcert "
                    + "in DATABASE_URL."
            ),
            (
                ["session is read-only", "server is in hot standby mode"],
                "None of the servers in DATABASE_URL takes writes: promote one, or name the primary."
            ),
            (
                ["definition of service", "service file"],
                "Name a service in DATABASE_URL that pg_service.conf has; PGSERVICEFILE says where that is."
            ),
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

extension PostgresError {
    /// What to do about an error that a worker goes on meeting, in a sentence; nil where its own words say it.
    var workerAdvice: String? {
        switch (code, sqlState) {
        case (.connectionFailed, _): connectionAdvice
        case (.server, "42501"), (.server, "42883"), (.server, "42P01"):
            "`sheetsync doctor` with the daemon's settings names what is missing."
        default: hint
        }
    }

    /// The error and what to do about it.
    var wordsWithAdvice: String {
        guard let workerAdvice else { return description }
        return description.last.map { ".?!".contains($0) } == true
            ? "\(description) \(workerAdvice)" : "\(description). \(workerAdvice)"
    }

    /// Whether a statement waited in vain, mostly for a lock.
    public var isTimeout: Bool { code == .timedOut || sqlState == "55P03" }
}

import CPostgres
import Glibc

/// Owns libpq's connection: every unsafe call to libpq stands in this file and in the one about streams.
///
/// A handle without a connection (before the first use, after a loss) is valid; libpq answers for it as for a broken one.
@safe struct ConnectionHandle: ~Copyable {
    private(set) var connection: OpaquePointer?
    /// Is told of each notification as soon as it has been read; none is kept.
    var onNotification: ((Notification) -> Void)?

    init() { unsafe connection = nil }

    /// Opens a connection and blocks until it is there; the keyword `connect_timeout` bounds that.
    init(keywords: [(name: String, value: String)]) throws(PostgresError) {
        unsafe connection = unsafe withCStrings(keywords.map(\.name)) { names in
            unsafe withCStrings(keywords.map(\.value)) { values in unsafe PQconnectStartParams(names, values, 0) }
        }
        // Before the server says its first word, or libpq writes its warnings to standard error.
        unsafe PQsetNoticeProcessor(connection, { _, _ in }, nil)
        func value(_ name: String) -> String { keywords.last { $0.name == name }?.value ?? "" }
        if !connect(within: Int(value("connect_timeout")) ?? 0) {
            // Only libpq itself can leave an address that does not answer and go on to the next one.
            guard Self.mayHaveSeveralAddresses(host: value("host"), address: value("hostaddr")) else {
                throw PostgresError(.connectionFailed, "timeout expired")
            }
            unsafe PQreset(connection)
        }
        guard unsafe PQstatus(connection) == CONNECTION_OK else {
            throw PostgresError(.connectionFailed, lastMessage)
        }
        // Otherwise a server that stops reading would hold a large statement beyond every deadline.
        guard unsafe PQsetnonblocking(connection, 1) == 0 else { throw PostgresError(.connectionFailed, lastMessage) }
    }

    /// Brings the connection up, or to an error; false where the time is over.
    private func connect(within seconds: Int) -> Bool {
        // libpq's own least is two seconds, and none is no limit.
        let deadline: ContinuousClock.Instant? = seconds > 0 ? .now + .seconds(max(2, seconds)) : nil
        guard unsafe PQstatus(connection) != CONNECTION_BAD else { return true }
        var step = PGRES_POLLING_WRITING
        while step == PGRES_POLLING_READING || step == PGRES_POLLING_WRITING {
            let left = deadline.map { $0 - .now } ?? .seconds(60)
            guard left > .zero else { return false }
            let events = step == PGRES_POLLING_READING ? POLLIN : POLLOUT
            var descriptor = pollfd(fd: socket, events: Int16(events), revents: 0)
            let ready = unsafe poll(&descriptor, 1, Int32(clamping: Int(left / .milliseconds(1)) + 1))
            if ready > 0 || ready < 0 && errno != EINTR { step = unsafe PQconnectPoll(connection) }
        }
        return true
    }

    private static func mayHaveSeveralAddresses(host: String, address: String) -> Bool {
        if host.contains(",") || address.contains(",") { return true }
        let isNumber = host.contains(":") || host.utf8.allSatisfy { $0 <= UInt8(ascii: "9") }
        return address.isEmpty && !host.isEmpty && !host.hasPrefix("/") && !host.hasPrefix("@") && !isNumber
    }

    deinit { unsafe PQfinish(connection) }

    var isOpen: Bool { unsafe PQstatus(connection) == CONNECTION_OK }

    /// Whether no transaction is open.
    var isIdle: Bool { unsafe PQtransactionStatus(connection) == PQTRANS_IDLE }

    /// The encoding that the database keeps its texts in.
    var encoding: ServerEncoding {
        ServerEncoding(
            name: unsafe PQparameterStatus(connection, "server_encoding").map { unsafe String(cString: $0) })
    }

    /// Whether the server says that it follows another one; a pooler says nothing about that.
    private var isStandby: Bool {
        unsafe PQparameterStatus(connection, "in_hot_standby").map { unsafe String(cString: $0) } == "on"
    }

    /// Whether the connection is of no more use to whoever has to write, although it is open.
    ///
    /// A server that was demoted goes on answering its sessions, and refuses all they want to write.
    func isUseless(after error: PostgresError) -> Bool {
        error.sqlState == "25006" || isStandby && ["55000", "XX000"].contains(error.sqlState)
    }

    /// The number of the server's process, as it was told when the connection was opened; a pooler tells one of its own.
    var processID: Int { Int(unsafe PQbackendPID(connection)) }

    /// The file descriptor; -1 without a connection.
    var socket: Int32 { unsafe PQsocket(connection) }

    /// What libpq says, on one line and without its advice, which stands on lines of their own behind a tab.
    var lastMessage: String {
        guard let text = unsafe PQerrorMessage(connection) else { return "no reason was given" }
        return unsafe String(cString: text).split(separator: "\n").filter { !$0.hasPrefix("\t") }
            .joined(separator: "; ")
    }

    /// Takes in what the server sent, without waiting.
    ///
    /// A server that closes sends its reason first. One call takes that in, and only a second one sees the end behind it.
    func consumeInput() throws(PostgresError) {
        for _ in 1...2 {
            guard unsafe PQconsumeInput(connection) == 1 else { throw PostgresError(.connectionLost, lastMessage) }
            deliverNotifications()
        }
        guard isOpen else { throw PostgresError(.connectionLost, lastMessage) }
    }

    /// Takes the notifications that have arrived out of libpq, which would keep them all.
    private func deliverNotifications() {
        while let notification = unsafe PQnotifies(connection) {
            defer { unsafe PQfreemem(notification) }
            onNotification?(
                Notification(
                    channel: unsafe String(cString: notification.pointee.relname),
                    payload: unsafe String(cString: notification.pointee.extra)))
        }
    }

    /// Runs one statement by the extended protocol and waits for its answer at most until the deadline.
    func run(_ query: Query, until deadline: ContinuousClock.Instant) throws(PostgresError) -> [Row] {
        let sent = unsafe withCStrings(query.parameters(for: encoding)) { values in
            unsafe PQsendQueryParams(connection, query.sql, Int32(query.parameters.count), nil, values, nil, nil, 0)
        }
        guard sent == 1 else { throw PostgresError(.connectionLost, lastMessage) }
        try flush(until: deadline)
        return try answer(until: deadline)
    }

    /// Runs a script of several statements without parameters, all or nothing where the server can.
    func run(script: String, until deadline: ContinuousClock.Instant) throws(PostgresError) {
        guard unsafe PQsendQuery(connection, script) == 1 else { throw PostgresError(.connectionLost, lastMessage) }
        try flush(until: deadline)
        _ = try answer(until: deadline)
    }

    /// Sends what libpq still keeps back, and takes in meanwhile what the server says.
    func flush(until deadline: ContinuousClock.Instant) throws(PostgresError) {
        while true {
            switch unsafe PQflush(connection) {
            case 0: return
            case 1:
                if try wait(for: POLLIN | POLLOUT, until: deadline) & POLLIN != 0 { try consumeInput() }
            default: throw PostgresError(.connectionLost, lastMessage)
            }
        }
    }

    /// Reads results to the last one; the rows are the last result's, an error is the first one's.
    private func answer(until deadline: ContinuousClock.Instant) throws(PostgresError) -> [Row] {
        // What was notified meanwhile has come with the answer, and nothing else tells of it.
        defer { deliverNotifications() }
        var rows: [Row] = []
        var failure: PostgresError?
        while true {
            while unsafe PQisBusy(connection) == 1 {
                _ = try wait(for: POLLIN, until: deadline)
                try consumeInput()
            }
            guard let result = unsafe PQgetResult(connection) else { break }
            defer { unsafe PQclear(result) }
            switch unsafe PQresultStatus(result) {
            case PGRES_TUPLES_OK: rows = unsafe decode(result)
            case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: rows = []
            default: failure = failure ?? (unsafe error(of: result))
            }
        }
        if let failure { throw failure }
        return rows
    }

    /// Waits until one of the events has come, and returns which.
    func wait(for events: Int32, until deadline: ContinuousClock.Instant) throws(PostgresError) -> Int32 {
        while true {
            let left = deadline - .now
            guard left > .zero else { throw PostgresError(.timedOut, "no answer before the statement's deadline") }
            var descriptor = pollfd(fd: socket, events: Int16(events), revents: 0)
            // Rounded up, so that the last millisecond is waited for and not spun through.
            let milliseconds = Int32(clamping: Int(left / .milliseconds(1)) + 1)
            let ready = unsafe poll(&descriptor, 1, milliseconds)
            if ready > 0 { return Int32(descriptor.revents) }
            if ready < 0, errno != EINTR { throw PostgresError(.connectionLost, "poll failed with error \(errno)") }
        }
    }

    private func decode(_ result: OpaquePointer) -> [Row] {
        let width = unsafe PQnfields(result)
        var columns: [String: Int] = [:]
        for column in 0..<width {
            if let name = unsafe PQfname(result, column) { columns[unsafe String(cString: name)] = Int(column) }
        }
        return (0..<(unsafe PQntuples(result))).map { row in
            let cells = (0..<width).map { column -> String? in
                guard unsafe PQgetisnull(result, row, column) == 0 else { return nil }
                let bytes = unsafe UnsafeRawBufferPointer(
                    start: PQgetvalue(result, row, column), count: Int(PQgetlength(result, row, column)))
                return unsafe String(decoding: bytes, as: UTF8.self)
            }
            return Row(columns: columns, cells: cells)
        }
    }

    func error(of result: OpaquePointer) -> PostgresError {
        func field(_ code: Character) -> String? {
            let text = unsafe PQresultErrorField(result, Int32(code.asciiValue ?? 0))
            return unsafe text.map { unsafe trimmed(String(cString: $0)) }
        }
        // The characters are libpq's PG_DIAG_SQLSTATE, _MESSAGE_PRIMARY, _MESSAGE_HINT and _STATEMENT_POSITION.
        let state = field("C")
        // Those of class 57P say that the server ends this session, or all.
        let isLost = state?.hasPrefix("57P") ?? true
        return PostgresError(
            state == "57014" ? .timedOut : isLost || !isOpen ? .connectionLost : .server,
            field("M") ?? lastMessage, sqlState: state, hint: field("H"),
            position: field("P").flatMap { Int($0) })
    }
}

/// The text on one line; libpq breaks its sentences over several.
private func trimmed(_ text: String) -> String {
    text.split(whereSeparator: \.isNewline).map { $0.drop(while: \.isWhitespace) }.joined(separator: " ")
}

/// Lends an array of C strings, ended by a null pointer, for the time of a call.
func withCStrings<Result>(
    _ strings: [String?], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Result
) -> Result {
    let copies = unsafe strings.map { string in unsafe string.flatMap { unsafe strdup($0) } }
    defer { unsafe copies.forEach { unsafe free($0) } }
    let pointers = unsafe copies.map { unsafe UnsafePointer($0) } + [nil]
    return unsafe pointers.withUnsafeBufferPointer { buffer in
        guard let base = buffer.baseAddress else { preconditionFailure("the array ends with a null pointer") }
        return unsafe body(base)
    }
}

import CPostgres
import Dispatch
import Glibc

/// One row of a stream, for as long as the closure runs that gets it.
@safe public struct ResultRow: ~Copyable {
    private let result: OpaquePointer
    private let width: Int32

    fileprivate init(_ result: OpaquePointer) {
        unsafe self.result = unsafe result
        width = unsafe PQnfields(result)
    }

    /// Hands over the cells from the first to the last, as the text that Postgres sent; nil is NULL.
    ///
    /// The bytes are libpq's own and are not copied.
    public func forEachCell(_ body: (_ column: Int, _ text: Span<UInt8>?) throws -> Void) rethrows {
        for column in 0..<width {
            let count = Int(unsafe PQgetlength(result, 0, column))
            if count == 0, unsafe PQgetisnull(result, 0, column) == 1 {
                try body(Int(column), nil)
                continue
            }
            let bytes = unsafe UnsafeBufferPointer(
                start: UnsafeRawPointer(PQgetvalue(result, 0, column))?.assumingMemoryBound(to: UInt8.self),
                count: count)
            try body(Int(column), unsafe bytes.span)
        }
    }
}

extension ConnectionHandle {
    /// How late an interruption is noticed while the server is silent.
    private static let attention = Duration.milliseconds(200)
    /// How many bytes a row may have: libpq holds it whole, twice, before anybody sees it.
    ///
    /// Its buffer doubles, and is mapped on its own when it is as large as this.
    private static let largestRow = 128 << 20
    /// How many bytes a row must have brought before memory that has grown is taken to be its own.
    private static let evidence = 256 << 10

    /// What the process holds in large pieces of memory.
    private static var mappedBytes: Int { mallinfo2().hblkhd }

    /// Runs one statement by the extended protocol and hands over its rows while they arrive; one row is in memory.
    ///
    /// - Parameters:
    ///   - columns: Is told the columns, once and before the first row.
    ///   - row: Gets each row. What it throws ends the stream.
    /// - Throws: `PostgresError`; `.unexpectedResult` for a statement that gives no rows; `.rowTooLarge`; `CancellationError` where it was
    ///   interrupted; what the closures throw. The statement may then still run, and the connection is of no more use.
    func stream(
        _ statement: String, _ parameters: [String?], until deadline: ContinuousClock.Instant,
        unless interruption: Interruption, columns: ([ResultColumn]) throws -> Void,
        row: (borrowing ResultRow) throws -> Void
    ) throws {
        // A statement without rows is not begun, for it can do what no transaction takes back: PREPARE TRANSACTION leaves one
        // behind, COMMIT ends the one that only reads.
        guard try columnCount(of: statement, until: deadline, unless: interruption) > 0 else {
            throw PostgresError(.unexpectedResult, "the statement gives no rows, or rows without columns")
        }
        let sent = unsafe withCStrings(parameters) { values in
            unsafe PQsendQueryPrepared(connection, "", Int32(parameters.count), values, nil, nil, 0)
        }
        guard sent == 1, unsafe PQsetSingleRowMode(connection) == 1 else {
            throw PostgresError(.connectionLost, lastMessage)
        }
        try flush(until: deadline)
        var isBegun = false
        var mapped = Self.mappedBytes
        while true {
            var (hasGrown, came) = (false, 0)
            while unsafe PQisBusy(connection) == 1 {
                // As soon as libpq has read how long a row is, it makes room for all of it, and offers no other look at that.
                // Somebody else may have asked for that room; then this row soon comes to its end.
                if Self.mappedBytes >= mapped + Self.largestRow { hasGrown = true }
                guard !hasGrown || came < Self.evidence else {
                    throw PostgresError(.rowTooLarge, "it has more than \(Self.largestRow >> 20) MB")
                }
                came += try takeIn(until: deadline, unless: interruption)
                mapped = Self.mappedBytes
            }
            guard let result = unsafe PQgetResult(connection) else { return }
            defer { unsafe PQclear(result) }
            let status = unsafe PQresultStatus(result)
            switch status {
            case PGRES_SINGLE_TUPLE, PGRES_TUPLES_OK:
                if !isBegun {
                    isBegun = true
                    try columns(unsafe Self.columns(of: result))
                }
                // The last result only says that no more rows follow.
                if status == PGRES_SINGLE_TUPLE { try row(unsafe ResultRow(result)) }
            case PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE, PGRES_NONFATAL_ERROR:
                throw unsafe error(of: result)
            default: throw PostgresError(.unexpectedResult, "the statement gives no rows")
            }
        }
    }

    /// Lets the server parse a statement, as the session's unnamed prepared one, and say how many columns its rows have.
    ///
    /// - Returns: 0 also for a statement that gives no rows.
    private func columnCount(
        of statement: String, until deadline: ContinuousClock.Instant, unless interruption: Interruption
    ) throws -> Int {
        var count = 0
        for isParsed in [false, true] {
            let sent =
                isParsed
                ? unsafe PQsendDescribePrepared(connection, "")
                : unsafe PQsendPrepare(connection, "", statement, 0, nil)
            guard sent == 1 else { throw PostgresError(.connectionLost, lastMessage) }
            try flush(until: deadline)
            while true {
                while unsafe PQisBusy(connection) == 1 { _ = try takeIn(until: deadline, unless: interruption) }
                guard let result = unsafe PQgetResult(connection) else { break }
                defer { unsafe PQclear(result) }
                guard unsafe PQresultStatus(result) == PGRES_COMMAND_OK else { throw unsafe error(of: result) }
                count = Int(unsafe PQnfields(result))
            }
        }
        return count
    }

    /// Waits for more from the server and takes it in; returns how many bytes lay ready, and more may have come meanwhile.
    private func takeIn(until deadline: ContinuousClock.Instant, unless interruption: Interruption) throws -> Int {
        while true {
            if interruption.isRequested { throw CancellationError() }
            let now = ContinuousClock.now
            guard now < deadline else { throw PostgresError(.timedOut, "no complete answer before the deadline") }
            if try hasInput(within: min(deadline - now, Self.attention)) { break }
        }
        var ready: CInt = 0
        _ = unsafe ioctl(socket, UInt(FIONREAD), &ready)
        guard unsafe PQconsumeInput(connection) == 1 else { throw PostgresError(.connectionLost, lastMessage) }
        return Int(ready)
    }

    /// Whether something arrives within some time.
    private func hasInput(within time: Duration) throws(PostgresError) -> Bool {
        var descriptor = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        let ready = unsafe poll(&descriptor, 1, Int32(clamping: Int(time / .milliseconds(1)) + 1))
        if ready < 0, errno != EINTR { throw PostgresError(.connectionLost, "poll failed with error \(errno)") }
        return ready > 0
    }

    /// Asks the server to give up the statement that runs, and does not wait for that.
    ///
    /// The request goes over a connection of its own, which may take its time to a server that does not answer.
    func cancel() {
        guard let request = unsafe PQgetCancel(connection) else { return }
        let cancellation = unsafe Cancellation(request: request)
        DispatchQueue(label: "postgres.cancel").async { cancellation.send() }
    }

    private static func columns(of result: OpaquePointer) -> [ResultColumn] {
        (0..<(unsafe PQnfields(result))).map { column in
            ResultColumn(
                name: unsafe PQfname(result, column).map { unsafe String(cString: $0) } ?? "",
                typeID: unsafe PQftype(result, column))
        }
    }
}

/// What libpq needs to cancel a statement, independent of the statement's connection.
@safe private final class Cancellation: @unchecked Sendable {
    private let request: OpaquePointer

    init(request: OpaquePointer) { unsafe self.request = unsafe request }

    deinit { unsafe PQfreeCancel(request) }

    func send() {
        var message = [CChar](repeating: 0, count: 256)
        // Whether it arrived makes no difference: the connection is closed as well.
        _ = unsafe PQcancel(request, &message, Int32(message.count))
    }
}

import JSON
import JobQueue
import Postgres
import SheetModel

/// Runs one query of a job and brings its rows to disk.
///
/// One transaction that only reads, and that is never committed: it is rolled back or ends with its connection.
struct QueryRun: Sendable {
    let query: SheetQuery
    let source: SourceDatabase
    let connection: ConnectionConfiguration
    let timeZone: TimeZoneRules
    /// How many cells the spreadsheet has room for beside its other sheets.
    let cellsLeft: Int
    let share: SpoolSpace.Share
    let counter: RowCounter

    /// How long the small statements around the query may take.
    private static let patience = Duration.seconds(15)

    /// The rows, when the transaction is over.
    func sheet() async throws -> CheckedSheet {
        do {
            return try await BlockingSession.run(connection, label: "source") { session in
                try sheet(in: session)
            }
        } catch let error as PostgresError {
            throw JobFailure(error, of: query, timeout: source.timeout)
        }
    }

    private func sheet(in session: borrowing BlockingSession) throws -> CheckedSheet {
        try session.beginReading(statementTimeout: source.timeout, within: Self.patience)
        try checkLogin(session)
        // Such a database holds bytes that nobody has checked.
        let encoding = try session.query("select current_setting('server_encoding') as name", within: Self.patience)[0]
        try session.restoreLoginSettings(within: Self.patience)
        let sheet = try spooled(session, checksEncoding: try encoding.text("name") == "SQL_ASCII")
        try session.script("rollback", within: Self.patience)
        return sheet
    }

    private func checkLogin(_ session: borrowing BlockingSession) throws {
        let rows = try session.query(SourceLogin.question(queueSchema: source.queueSchema), within: Self.patience)
        let login = try SourceLogin(rows[0], queueSchema: source.queueSchema)
        guard login.objections.isEmpty else { throw JobFailure(.queryLoginRefused, login.refusal, retry: .never) }
    }

    private func spooled(_ session: borrowing BlockingSession, checksEncoding: Bool) throws -> CheckedSheet {
        guard query.parameters.count <= UInt16.max else {
            throw PayloadError(at: "\(query.path).params", "holds more than 65,535 values")
        }
        var columns: [Column] = []
        var rowsLeft = 0
        var writer: TextRowWriter?
        var spool = try SpoolWriter(share)
        do {
            try session.stream(
                query.statement, query.parameters.map(\.parameterText), within: source.timeout
            ) { result in
                let resolved = try query.resolved(result)
                columns = resolved.map(\.column)
                // One row is the header.
                rowsLeft = cellsLeft / columns.count - 1
                writer = TextRowWriter(
                    sheet: query.index, columns: resolved, timeZone: timeZone, checksEncoding: checksEncoding,
                    capacity: SpooledRows.blockSize * 5 / 4)
            } row: { row in
                guard rowsLeft > 0 else { throw tooManyCells }
                rowsLeft -= 1
                spool.note(row: writer?.rows ?? 0, behind: writer?.count ?? 0)
                writer?.beginRow()
                try row.forEachCell { _, text in try writer?.append(text) }
                writer?.endRow()
                guard writer?.count ?? 0 >= SpooledRows.blockSize, let lines = writer else { return }
                try spool.write(lines.bytes)
                writer?.removeAll()
                counter.set(lines.rows)
            }
        } catch let error as SheetModelError {
            throw located(error, columns)
        }
        guard let writer else { throw PayloadError(at: query.statementPath, "gives no rows") }
        try spool.write(writer.bytes)
        counter.set(writer.rows)
        return CheckedSheet(
            name: query.sheet, columns: columns, hasHeader: true, rows: spool.rows(writer.rows),
            warnings: writer.warnings(sheet: query.sheet))
    }

    private var tooManyCells: PayloadError {
        PayloadError(
            at: query.statementPath,
            "gives more rows than there is room for: a spreadsheet holds at most 10,000,000 cells, with the headers and the "
                + "other sheets; let the query give less or split the data")
    }

    /// The place as a person counts rows, with the column's name and without the value.
    private func located(_ error: SheetModelError, _ columns: [Column]) -> PayloadError {
        guard case .cell(let row, let column, _)? = error.place else {
            return PayloadError(at: query.statementPath, error.message)
        }
        return PayloadError(
            at: query.statementPath, "row \(row + 1), column \"\(columns[column].name)\": \(error.message)")
    }
}

extension JSON {
    /// The value as a statement's parameter.
    fileprivate var parameterText: String? {
        switch self {
        case .null: nil
        case .bool(let truth): truth ? "true" : "false"
        case .number(let number): number.text
        case .string(let text): text
        case .array, .text, .object: description
        }
    }
}

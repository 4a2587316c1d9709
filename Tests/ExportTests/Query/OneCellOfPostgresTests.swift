import Foundation
import JSON
import JobQueue
import SheetModel
import TestSupport
import Testing

@testable import Export

/// What Postgres says of one value as JSON, as a query's text and as CSV becomes one cell.
@Suite(.serialized) struct OneCellOfPostgresTests {
    /// The type of the sheet's column, and the expression whose values of row `g` it gets.
    private static let columns: [(type: ColumnType, expression: String)] = [
        (.number, "((random() - 0.5) * 10 ^ (random() * 40 - 20)::int)::float8"),
        (.number, "(case g % 4 when 0 then 'NaN' when 1 then '-Infinity' else (g * 1e15)::text end)::float8"),
        (.number, "((random() * 1e9)::int::text || repeat('0', g % 30))::numeric"),
        (.currency, "round((random() * 1e15)::numeric / 7, g % 20)"),
        (.integer, "((random() - 0.5) * 9e18)::bigint"), (.integer, "((random() - 0.5) * 3e16)::bigint"),
        (.percent, "(random() / 3)::real"),
        (.boolean, "g % 2 = 0"), (.boolean, "g % 2"), (.boolean, "(g % 2 = 0)::text"),
        (.date, "date '0001-01-01' + (random() * 3652058)::int"),
        (.date, "(case g % 3 when 0 then 'infinity' else '2026-05-02' end)::date"),
        (.date, "timestamp '2026-01-01' + g * interval '1 day'"),
        (.date, "timestamptz '2026-01-01' + g * interval '1 day'"),
        (.time, "time '00:00' + random() * interval '24 hours'"), (.time, "time '24:00'"),
        (.time, "(random() - 0.5) * interval '900 hours'"), (.time, "g * interval '1 day 2 hours 30.5 seconds'"),
        (.datetime, "timestamp '0001-01-01' + random() * interval '3652058 days'"),
        (.datetime, "timestamptz '0002-01-01' + random() * interval '3652000 days'"),
        (.datetime, "date '2026-01-01' + g"),
        (.link, "' https://example.org/' || g"), (.link, "jsonb_build_object('text', 't' || g)"),
        (.link, "jsonb_build_object('url', 'https://example.org/' || g, 'text', '=' || g)"),
        (.link, "json_build_object('text', 'x' || g)"),
        (.formula, "'=1+' || g"), (.text, "repeat(chr(33 + g % 90), g % 7)"), (.auto, "'=\"' || chr(160 + g)"),
        (.text, "(g * 0.5)::numeric(9, 2)"), (.boolean, "to_jsonb(g % 2 = 0)"), (.integer, "to_json(nullif(g % 9, 4))"),
        (.number, "to_jsonb(g * 1e15)"),
    ]

    private func cells(_ sheet: CheckedSheet) throws -> [[Cell]] {
        let decoder = RowDecoder(sheet.columns)
        var cursor = sheet.rows.cursor(from: 0)
        var rows: [[Cell]] = []
        while let line = try cursor.next() { rows.append(try decoder.cells(of: line)) }
        return rows
    }

    @Test func aThousandValuesOfEachTypeAreTheSameCellsByAllThreeWays() async throws {
        let list = Self.columns.enumerated().map { "\($1.expression) as c\($0)" }.joined(separator: ", ")
        try await SourceStage.with(
            sql: "select setseed(0.18); create table app.v as select g, \(list) from generate_series(1, 1000) g;"
        ) { source in
            let names = Self.columns.indices.map { "c\($0)" }
            let columns = try Self.columns.enumerated().map { try Column(name: "c\($0)", type: $1.type) }
            let statement = "select \(names.joined(separator: ", ")) from app.v order by g"
            let query = SheetQuery(
                sheet: "S", index: 0, path: "", statement: statement, parameters: [], columns: columns)
            let login = try SourceStage.configuration(source.stage.queue, source.login)
            let database = SourceDatabase(login, queueSchema: "sheetsync", spool: source.spool)
            let zone = try TimeZoneRules(named: "America/New_York")
            let queried = try await QueryRun(
                query: query, source: database, connection: login, timeZone: zone, cellsLeft: 1_000_000,
                share: source.spool.share(), counter: RowCounter()
            ).sheet()

            func payload(_ members: JSONObject) throws -> CheckedSheet {
                var members = members
                members["title"] = "T"
                members["time_zone"] = "America/New_York"
                return try ExportPayload(.object(members)).spreadsheet().sheets[0]
            }
            let rows = try await source.stage.queue.psql(
                "select jsonb_agg(jsonb_build_array(\(names.joined(separator: ", "))) order by g) from app.v"
            )
            var members = JSONObject()
            members["columns"] = .array(
                columns.map { ["name": .string($0.name), "type": .string($0.type.rawValue)] })
            members["rows"] = try JSON(parsing: rows)
            let inline = try payload(members)

            let csv = try await source.stage.queue.psql("copy (\(statement)) to stdout with (format csv, header)")
            let table = try CSVReader.table(from: Array(csv.utf8))
            let types = Dictionary(uniqueKeysWithValues: columns.map { ($0.name, $0.type) })
            let filed = try payload(try table.payload(types: types))

            let ways = [try cells(inline), try cells(queried), try cells(filed)]
            #expect(ways.map(\.count) == [1000, 1000, 1000])
            for (index, column) in Self.columns.enumerated() {
                for row in 0..<1000 where ways.contains(where: { $0[row][index] != ways[0][row][index] }) {
                    let found = ways.map { "\($0[row][index])" }.joined(separator: " | ")
                    Issue.record("\(column.type) of \(column.expression), row \(row): \(found)")
                    break
                }
            }
        }
    }
}

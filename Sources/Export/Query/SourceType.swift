import Postgres
import SheetModel

extension TextForm {
    /// How Postgres spells values of a type; everything without a form of its own is text.
    init(of column: ResultColumn) {
        // The numbers are those of pg_type, which never change.
        self =
            switch column.typeID {
            case 16: .boolean
            case 20, 21, 23, 26: .integer
            case 700, 701: .float
            case 1700: .decimal
            case 1082: .date
            case 1083: .time
            case 1114: .timestamp
            case 1184: .timestampWithOffset
            case 114, 3802: .json
            default: .text
            }
    }
}

extension SheetQuery {
    /// The sheet's columns for those of the result: the payload's by their places, else the result's own.
    ///
    /// A column of the payload without a type takes the result's.
    func resolved(_ result: [ResultColumn]) throws(PayloadError) -> [(column: Column, form: TextForm)] {
        guard !result.isEmpty else { throw PayloadError(at: statementPath, "gives rows without columns") }
        guard result.count <= Limits.columns else {
            throw PayloadError(at: statementPath, "gives \(result.count) columns, more than a sheet holds")
        }
        if let columns, columns.count != result.count {
            throw PayloadError(
                at: statementPath,
                "gives \(result.count) \(result.count == 1 ? "column" : "columns"), but \(columns.count) "
                    + "\(columns.count == 1 ? "is" : "are") named in columns")
        }
        var resolved: [(column: Column, form: TextForm)] = []
        for (index, source) in result.enumerated() {
            let form = TextForm(of: source)
            let given = columns?[index]
            let type = given.map { $0.type == .auto ? form.columnType : $0.type } ?? form.columnType
            do throws(SheetModelError) {
                let column =
                    if let given { try given.typed(type) } else { try Column(name: source.name, type: type) }
                resolved.append((column, form))
            } catch {
                throw PayloadError(at: "\(path).columns[\(index)]", error.message)
            }
        }
        return resolved
    }

    /// The place of the statement in the payload.
    var statementPath: String { path.isEmpty ? "query" : "\(path).query" }
}

import JSON
import Postgres

extension Connection {
    /// The buffers that a statement touched, in the functions that it calls as well; it begins with
    /// `explain (analyze, buffers, format json)`.
    func buffers(_ statement: Query) throws -> Int {
        let plan = try JSON(parsing: try query(statement)[0].text("QUERY PLAN"))[0]?["Plan"]
        return (plan?["Shared Hit Blocks"]?.int ?? .max / 2) + (plan?["Shared Read Blocks"]?.int ?? .max / 2)
    }
}

import JSON

/// Checks a query's parameters against what a method takes.
enum ParameterValidator {
    /// What is wrong, in the order of the query.
    static func violations(_ query: Query, method: APIMethod, schema: APISchema) -> [FieldViolation] {
        var violations: [FieldViolation] = []
        for item in query.items {
            guard let parameter = method.parameters[item.name] ?? schema.commonParameters[item.name] else {
                // Drive takes its own parameters on any method: gspread sends `includeItemsFromAllDrives` to `files.get`.
                if schema.name == "drive", schema.methods.contains(where: { $0.parameters[item.name] != nil }) {
                    continue
                }
                violations.append(
                    FieldViolation(
                        description: "Invalid JSON payload received. Unknown name \"\(item.name)\": Cannot bind query "
                            + "parameter. Field '\(item.name)' could not be found in request message."))
                continue
            }
            var type = parameter.type
            if case .list(let element) = type { type = element }
            // Clients write booleans as their language spells them; Google takes Python's True.
            let text = type == .boolean ? item.value.lowercased() : item.value
            if ScalarParser.canonical(.string(text), type) == nil {
                violations.append(
                    FieldViolation(
                        field: item.name,
                        description: "Invalid value at '\(item.name)' (\(type.googleName(field: item.name))), "
                            + JSON.string(item.value).description))
            }
        }
        return violations
    }
}

import JSON

/// Checks the emulator's own answers against the schema of the API, for tests.
enum AnswerCheck {
    /// The answer itself, or one of status 500 that names what the schema does not allow.
    static func checked(_ response: EmulatorResponse, method: APIMethod, schema: APISchema) -> EmulatorResponse {
        guard let type = method.response, response.contentType.hasPrefix("application/json") else { return response }
        guard let body = try? JSON(parsing: response.body) else { return broken(method, "it is not JSON") }
        var validator = MessageValidator(schema: schema)
        _ = validator.check(body, as: type)
        guard let violation = validator.violations.first else { return response }
        return broken(method, violation.description)
    }

    private static func broken(_ method: APIMethod, _ reason: String) -> EmulatorResponse {
        GoogleError(code: 500, message: "The emulator's answer to \(method.id) breaks the schema: \(reason)")
            .response(.sheets)
    }
}

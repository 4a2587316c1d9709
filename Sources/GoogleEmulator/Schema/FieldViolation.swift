import JSON

/// One thing that is wrong with a request's body, parameter or field mask.
struct FieldViolation: Sendable, Hashable {
    /// The path of the field in Google's spelling; empty where Google names none.
    var field = ""
    /// Google's sentence.
    let description: String

    /// The violation as an element of `google.rpc.BadRequest.fieldViolations`.
    var json: JSON {
        field.isEmpty
            ? ["description": .string(description)]
            : ["field": .string(field), "description": .string(description)]
    }
}

import JSON

/// A call of a Google API that has passed the checks: the method is known, the token good, the body of the right shape.
struct APICall: Sendable {
    let method: APIMethod
    /// What the path's variables stand for.
    let variables: [String: String]
    let query: Query
    /// The body in canonical form; an empty object where there was none.
    let body: JSON
    /// The fields of the answer that the caller wants; nil where it did not say.
    let fields: FieldMask?
    let token: AccessToken
    let now: Timestamp
    /// Where the emulator's pages are.
    let baseURL: String
    /// The rows of cells that a batch's requests bring, where they were read apart, by the place of the request.
    var rows: [Int: [[CellInput]]] = [:]
    /// The content that an upload brings.
    var media: Media?
    /// The content as a spreadsheet, where it is to become one and can.
    var imported: Spreadsheet?
    /// Whether the answer is to be in the form of Drive's second version.
    var isSecondVersion = false

    /// A variable of the path, which the template makes sure of.
    func variable(_ name: String) -> String { variables[name] ?? "" }
}

import JSON

/// The fields of a credentials text, and where it stands.
struct CredentialsFields {
    let place: String
    private let object: JSON

    init(_ text: String, _ place: String) throws(CredentialsError) {
        self.place = place
        do { object = try JSON(parsing: text) } catch {
            throw CredentialsError(.notJSON, place, "is \(error); copy the file again as Google made it")
        }
        guard object.object != nil else {
            throw CredentialsError(.notJSON, place, "is \(object.kind) where a JSON object is needed")
        }
    }

    private init(_ object: JSON, _ place: String) {
        self.object = object
        self.place = place
    }

    /// The text of a field; nil when it is missing, empty or no string.
    func optional(_ name: String) -> String? {
        guard let text = object[name]?.string, !text.isEmpty else { return nil }
        return text
    }

    /// The address at which tokens are given out; nil where none is named.
    ///
    /// Whoever hears a request for a token has what it takes to make others, so it goes out encrypted or stays on this machine.
    func tokenURI() throws(CredentialsError) -> String? {
        guard let uri = optional("token_uri") else { return nil }
        guard !Endpoint.isOpenToListeners(uri) else {
            throw CredentialsError(
                .insecureEndpoint, place,
                "its \"token_uri\" begins with http:// and is not on this machine, so that everybody on the way could read "
                    + "the credentials; use https://")
        }
        return uri
    }

    /// The text of a field that must be there.
    func required(_ name: String) throws(CredentialsError) -> String {
        if let text = optional(name) { return text }
        let problem =
            switch object[name] {
            case nil: "the field \"\(name)\" is missing"
            case .string: "the field \"\(name)\" is empty"
            case let other?: "the field \"\(name)\" is \(other.kind) where text is needed"
            }
        throw CredentialsError(.missingField, place, problem)
    }

    /// The fields of the object within that has one of two names; nil when there is neither.
    func nested(_ first: String, or second: String) throws(CredentialsError) -> CredentialsFields? {
        let name = object[first] == nil ? second : first
        guard let value = object[name] else { return nil }
        guard value.object != nil else {
            throw CredentialsError(.missingField, place, "the field \"\(name)\" is \(value.kind), not an object")
        }
        return CredentialsFields(value, place)
    }
}

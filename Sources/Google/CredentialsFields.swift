import HTTPTypes
import JSON

/// The fields of a credentials text, and where it stands.
struct CredentialsFields {
    /// No URL, audience or header that means something is longer.
    private static let longestText = 4_096
    private static let mostEntries = 50

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

    /// The text of a field that must be there.
    func required(_ name: String) throws(CredentialsError) -> String {
        guard let text = optional(name) else { throw missing(name) }
        return text
    }

    /// What is wrong where a field is needed.
    func missing(_ name: String) -> CredentialsError {
        let problem =
            switch object[name] {
            case nil: "the field \"\(name)\" is missing"
            case .string: "the field \"\(name)\" is empty"
            case let other?: "the field \"\(name)\" is \(other.kind) where text is needed"
            }
        return CredentialsError(.missingField, place, problem)
    }

    /// What is wrong with the value of a field, as a part of a sentence.
    func bad(_ name: String, _ problem: String) -> CredentialsError {
        CredentialsError(.badField, place, "its \"\(name)\" \(problem)")
    }

    /// The URL of a field to which secrets go, or from which they come; nil where none is named.
    ///
    /// Whoever hears a request for a token has what it takes to make others, so it goes out encrypted or stays on this machine.
    ///
    /// - Parameter reachesNeighbours: whether `http` is allowed to a link-local address too, at which clouds have their own
    ///   metadata servers; no router passes that on.
    func endpoint(_ name: String, reachesNeighbours: Bool = false) throws(CredentialsError) -> String? {
        guard let url = optional(name) else { return nil }
        guard !Endpoint.isOpenToListeners(url) || reachesNeighbours && Endpoint.isLinkLocal(url) else {
            throw CredentialsError(
                .insecureEndpoint, place,
                "its \"\(name)\" begins with http:// and is not on this machine, so that everybody on the way could read "
                    + "the credentials; use https://")
        }
        guard Endpoint.isAbsolute(url), url.utf8.count <= Self.longestText else {
            throw bad(name, "is no absolute https URL of at most \(Self.longestText) characters")
        }
        return url
    }

    /// The id of a Cloud project, which goes into a header; nil where none is named.
    func project(_ name: String) throws(CredentialsError) -> String? {
        guard let id = optional(name) else { return nil }
        let parts = id.split(separator: ":", omittingEmptySubsequences: false)
        let isProject =
            id.utf8.count <= 100 && parts.count <= 2
            && parts.allSatisfy { part in
                !part.isEmpty
                    && part.utf8.allSatisfy { byte in
                        "abcdefghijklmnopqrstuvwxyz0123456789-.".utf8.contains(byte)
                    }
            }
        guard isProject else {
            throw bad(name, "is not the id of a Cloud project: small letters, digits and hyphens")
        }
        return id
    }

    /// A whole number of a field; nil where there is none.
    func integer(_ name: String, in range: ClosedRange<Int>) throws(CredentialsError) -> Int? {
        guard let value = object[name], !value.isNull else { return nil }
        guard let number = value.int, range.contains(number) else {
            throw bad(name, "is not a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// The texts of a list; none where it is missing.
    func list(_ name: String) throws(CredentialsError) -> [String] {
        guard let value = object[name], !value.isNull else { return [] }
        let texts = (value.array ?? []).compactMap(\.string)
        guard let count = value.array?.count, count == texts.count, count <= Self.mostEntries,
            texts.allSatisfy({ !$0.isEmpty && $0.utf8.count <= Self.longestText })
        else { throw bad(name, "is not a list of at most \(Self.mostEntries) texts") }
        return texts
    }

    /// The header fields of an object of names and values; none where it is missing.
    ///
    /// The fields by which HTTP finds the host and the end of a request are refused.
    func headers(_ name: String) throws(CredentialsError) -> HTTPFields {
        guard let value = object[name], !value.isNull else { return [:] }
        guard let members = value.object, members.count <= Self.mostEntries else {
            throw bad(name, "is not an object of at most \(Self.mostEntries) header fields")
        }
        var fields = HTTPFields()
        for member in members {
            guard let field = HTTPField.Name(member.name), let text = member.value.string,
                HTTPField.isValidValue(text), text.utf8.count <= Self.longestText,
                !["host", "connection", "content-length", "transfer-encoding", "expect", "upgrade"].contains(
                    field.canonicalName)
            else { throw bad(name, "has a header field that cannot be sent, in place \(fields.count + 1)") }
            fields[field] = text
        }
        return fields
    }

    /// Whether a field is there, whatever it holds.
    func has(_ name: String) -> Bool { object[name].map { !$0.isNull } ?? false }

    /// The fields of the object within that has a name; nil when there is none.
    func nested(_ name: String) throws(CredentialsError) -> CredentialsFields? {
        guard let value = object[name] else { return nil }
        guard value.object != nil else {
            throw CredentialsError(.missingField, place, "the field \"\(name)\" is \(value.kind), not an object")
        }
        return CredentialsFields(value, place)
    }
}

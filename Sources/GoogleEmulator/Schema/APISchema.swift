/// The names, types and enums of one Google API.
///
/// Read from the compact text that `scripts/derive-google-schema` makes of a discovery document; the script describes
/// its lines.
struct APISchema: Sendable {
    /// The fields of a message by name, or, for the few types that are lists of something else, its element.
    struct MessageType: Sendable {
        var fields: [String: FieldType] = [:]
        /// The element's type, where the type is a list rather than an object.
        var element: FieldType?
    }

    /// A parameter of the path or the query.
    struct Parameter: Sendable {
        let type: FieldType
        let isRequired: Bool
    }

    /// The API's name: `drive` or `sheets`.
    private(set) var name = ""
    private(set) var types: [String: MessageType] = [:]
    private(set) var methods: [APIMethod] = []
    /// The parameters that each method takes.
    private(set) var commonParameters: [String: Parameter] = [:]

    /// Reads the compact text.
    init(_ text: String) {
        var scopes: [Substring: String] = [:]
        var enums: [Substring: [String]] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            switch words[0] {
            case "api": name = String(words[1])
            case "scope": scopes[words[1]] = String(words[2])
            case "enum": enums[words[1]] = words.dropFirst(2).map(String.init)
            case "params": commonParameters = Self.parameters(words.dropFirst(), enums)
            case "method":
                methods.append(
                    APIMethod(
                        id: String(words[1]), verb: String(words[2]), path: PathTemplate(words[3]),
                        request: words[4] == "-" ? nil : String(words[4]),
                        response: words[5] == "-" ? nil : String(words[5]),
                        scopes: Set(words[6].split(separator: ",").compactMap { scopes[$0] }),
                        parameters: Self.parameters(words.dropFirst(7), enums)))
            default: types[String(words[1])] = Self.message(words.dropFirst(2), enums)
            }
        }
        // Of two templates that both fit, the one with more literal text is meant (`files/generateIds`, `files/{fileId}`).
        methods.sort { $0.path.literalLength > $1.path.literalLength }
    }

    /// The method that a verb and a path call, and what the path's variables stand for.
    func method(verb: String, segments: [String]) -> (method: APIMethod, variables: [String: String])? {
        for method in methods where method.verb == verb {
            if let variables = method.path.match(segments) { return (method, variables) }
        }
        return nil
    }

    private static func parameters(
        _ words: ArraySlice<Substring>, _ enums: [Substring: [String]]
    ) -> [String: Parameter] {
        var result: [String: Parameter] = [:]
        for word in words {
            let colon = word.lastIndex(of: ":") ?? word.endIndex
            let isRequired = word.last == "!"
            let type = word[word.index(after: colon)...].dropLast(isRequired ? 1 : 0)
            result[String(word[..<colon])] = Parameter(type: Self.type(type, enums), isRequired: isRequired)
        }
        return result
    }

    private static func message(_ words: ArraySlice<Substring>, _ enums: [Substring: [String]]) -> MessageType {
        var message = MessageType()
        for word in words {
            if let colon = word.firstIndex(of: ":") {
                message.fields[String(word[..<colon])] = type(word[word.index(after: colon)...], enums)
            } else {
                message.element = type(word.dropFirst(2), enums)
            }
        }
        return message
    }

    private static func type(_ spelling: Substring, _ enums: [Substring: [String]]) -> FieldType {
        if spelling.hasPrefix("[]") { return .list(type(spelling.dropFirst(2), enums)) }
        if spelling.hasPrefix("{}") { return .map(type(spelling.dropFirst(2), enums)) }
        return switch spelling {
        case "s": .string
        case "b": .boolean
        case "i": .int32
        case "u": .uint32
        case "l": .int64
        case "f": .float
        case "d": .double
        case "t": .timestamp
        case "y": .bytes
        case "m": .fieldMask
        case "a": .any
        default:
            if spelling.first == "e", let values = enums[spelling.dropFirst()] {
                .enumeration(values)
            } else {
                .message(String(spelling))
            }
        }
    }
}

extension APISchema {
    /// Drive v3.
    static let drive = APISchema(String(decoding: PackageResources.drive_schema, as: UTF8.self))
    /// Sheets v4.
    static let sheets = APISchema(String(decoding: PackageResources.sheets_schema, as: UTF8.self))
}

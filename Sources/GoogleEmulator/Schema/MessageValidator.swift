import JSON

/// Checks a JSON body against a message type the way Google's JSON parser does.
///
/// It collects all violations, and it answers with the body in canonical form: numbers that came as text are numbers,
/// and, for Sheets, members that are null are gone.
struct MessageValidator {
    private enum PathStep {
        case name(String)
        case index(Int)
    }

    /// The unions of the messages that the emulator understands; the discovery documents do not speak of them.
    private static let unions: [String: (name: String, members: Set<String>)] = [
        "ExtendedValue": ("value", ["numberValue", "stringValue", "boolValue", "formulaValue", "errorValue"]),
        "UpdateCellsRequest": ("area", ["start", "range"]),
        "ColorStyle": ("kind", ["rgbColor", "themeColor"]),
        "DeveloperMetadataLocation": ("location", ["spreadsheet", "sheetId", "dimensionRange"]),
    ]

    private let schema: APISchema
    private var path: [PathStep] = []
    private(set) var violations: [FieldViolation] = []

    init(schema: APISchema, bodyField: String? = nil) {
        self.schema = schema
        if let bodyField { path = [.name(bodyField)] }
    }

    /// The body in canonical form; look at `violations` before using it.
    mutating func check(_ body: JSON, as type: String) -> JSON {
        guard body.object != nil else {
            violations.append(
                FieldViolation(description: "Invalid JSON payload received. Root element must be a message."))
            return body
        }
        return message(body, type) ?? body
    }

    /// Checks a value; nil where it is in canonical form already.
    private mutating func value(_ value: JSON, _ type: FieldType, _ name: String) -> JSON? {
        if value.isNull { return nil }
        switch type {
        case .any: return nil
        case .message(let typeName): return message(value, typeName)
        case .list(let element): return list(value, element, type, name)
        case .map(let element): return map(value, element, name)
        default:
            if value.array != nil {
                unknown(name, "Proto field is not repeating, cannot start list.")
                return nil
            }
            if value.object != nil {
                unknown(name, "Starting an object on a scalar field")
                return nil
            }
            guard let canonical = ScalarParser.canonical(value, type) else {
                invalid(value, type, name)
                return nil
            }
            if canonical == value { return nil }
            return canonical
        }
    }

    private mutating func message(_ value: JSON, _ typeName: String) -> JSON? {
        guard let type = schema.types[typeName] else { return nil }
        if let element = type.element { return list(value, element, .list(element), typeName) }
        guard let object = value.object else {
            invalid(value, .message(typeName), typeName)
            return nil
        }
        var replaced: [JSONObject.Member]?
        var kinds: [String] = []
        let union = Self.unions[typeName]
        for (index, member) in object.enumerated() {
            var member = member
            if type.fields[member.name] == nil, schema.name == "sheets", member.name.utf8.contains(UInt8(ascii: "_")) {
                // Protocol buffers take the names of their own language too: `sheet_id`.
                let name = Self.camelCase(member.name)
                if type.fields[name] != nil {
                    member = .init(name: name, value: member.value)
                    replaced = replaced ?? Array(object.prefix(index))
                }
            }
            guard let field = type.fields[member.name] else {
                unknown(member.name, "Cannot find field.")
                continue
            }
            if member.value.isNull, schema.name == "sheets" {
                replaced = replaced ?? Array(object.prefix(index))
                continue
            }
            if let union, union.members.contains(member.name) {
                kinds.append(member.name)
            } else if typeName == "Request" {
                kinds.append(member.name)
            }
            path.append(.name(member.name))
            let canonical = self.value(member.value, field, member.name)
            path.removeLast()
            if let canonical {
                replaced = replaced ?? Array(object.prefix(index))
                replaced?.append(.init(name: member.name, value: canonical))
            } else {
                replaced?.append(member)
            }
        }
        if kinds.count > 1 {
            let place = pathText
            let sentence =
                "Invalid value at '\(place)' (oneof), oneof field '\(union?.name ?? "kind")' is already set. "
                + "Cannot set '\(kinds[1])'"
            violations.append(FieldViolation(field: place, description: sentence))
        }
        return replaced.map { .object(JSONObject($0)) }
    }

    private mutating func list(_ value: JSON, _ element: FieldType, _ type: FieldType, _ name: String) -> JSON? {
        guard let elements = value.array else {
            invalid(value, type, name)
            return nil
        }
        if element == .any { return nil }
        var replaced: [JSON]?
        for (index, child) in elements.enumerated() {
            path.append(.index(index))
            let canonical = self.value(child, element, name)
            path.removeLast()
            if let canonical {
                replaced = replaced ?? Array(elements.prefix(index))
                replaced?.append(canonical)
            } else {
                replaced?.append(child)
            }
        }
        return replaced.map(JSON.array)
    }

    private mutating func map(_ value: JSON, _ element: FieldType, _ name: String) -> JSON? {
        guard let object = value.object else {
            invalid(value, .map(element), name)
            return nil
        }
        for member in object {
            path.append(.name(member.name))
            _ = self.value(member.value, element, name)
            path.removeLast()
        }
        return nil
    }

    private mutating func unknown(_ name: String, _ reason: String) {
        // Where a value stands on the wrong kind of field, its own name is the last step already.
        let parents = reason == "Cannot find field." ? path[...] : path.dropLast()
        let place = Self.text(parents)
        let position = place.isEmpty ? "" : " at '\(place)'"
        violations.append(
            FieldViolation(
                field: place,
                description: "Invalid JSON payload received. Unknown name \"\(name)\"\(position): \(reason)"))
    }

    private mutating func invalid(_ value: JSON, _ type: FieldType, _ name: String) {
        let place = pathText
        violations.append(
            FieldViolation(
                field: place,
                description: "Invalid value at '\(place)' (\(type.googleName(field: name))), \(value.description)"))
    }

    private static func camelCase(_ name: String) -> String {
        let words = name.split(separator: "_")
        return words.dropFirst().reduce(String(words.first ?? "")) {
            $0 + $1.prefix(1).uppercased() + $1.dropFirst()
        }
    }

    private var pathText: String { Self.text(path[...]) }

    /// A path in Google's spelling, which is the protocol buffer's: `requests[0].update_cells.start`.
    private static func text(_ path: ArraySlice<PathStep>) -> String {
        var text = ""
        for step in path {
            switch step {
            case .index(let index): text += "[\(index)]"
            case .name(let name):
                if !text.isEmpty { text += "." }
                for character in name {
                    if character.isUppercase {
                        text += "_" + character.lowercased()
                    } else {
                        text.append(character)
                    }
                }
            }
        }
        return text
    }
}

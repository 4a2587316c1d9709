import JSON

/// A set of fields, nested: `a,b(c,d),e/f,*`.
///
/// The same syntax serves answers (the query parameter `fields`) and updates (a request's `fields`); paths are joined
/// by `/` or `.`.
struct FieldMask: Sendable, Hashable {
    /// Why a text is no field mask.
    struct SyntaxError: Error {}

    /// The fields one level down; `*` is kept as a name.
    private(set) var children: [String: FieldMask] = [:]

    /// A mask that selects a whole value.
    static let all = FieldMask()

    private init() {}

    /// Reads a mask; an empty text is none.
    init(_ text: String) throws(SyntaxError) {
        var parser = FieldMaskParser(text)
        guard let mask = parser.parse() else { throw SyntaxError() }
        self = mask
    }

    init(children: [String: FieldMask]) { self.children = children }

    /// Whether everything below is selected.
    var selectsAll: Bool { children.isEmpty || children["*"]?.children.isEmpty == true }

    /// The mask for a field; nil where the field is not selected.
    subscript(field: String) -> FieldMask? {
        if selectsAll { return .all }
        switch (children[field], children["*"]) {
        case (let mask?, nil), (nil, let mask?): return mask
        case (let mask?, let wildcard?): return mask.union(wildcard)
        case (nil, nil): return nil
        }
    }

    /// The mask for a field some levels down; nil where it is not selected.
    func descend(_ path: String...) -> FieldMask? {
        var mask: FieldMask? = self
        for field in path { mask = mask?[field] }
        return mask
    }

    /// What both masks select together.
    func union(_ other: FieldMask) -> FieldMask {
        if selectsAll || other.selectsAll { return .all }
        return FieldMask(children: children.merging(other.children) { $0.union($1) })
    }

    /// The selected part of a value; lists are filtered element by element.
    func filter(_ value: JSON) -> JSON {
        if selectsAll { return value }
        switch value {
        case .array(let elements): return .array(elements.map(filter))
        case .object(let object):
            return .object(
                JSONObject(
                    object.compactMap { member in
                        self[member.name].map { .init(name: member.name, value: $0.filter(member.value)) }
                    }))
        default: return value
        }
    }

    /// Brings the selected fields of a source into a target; a field that the source lacks is cleared.
    ///
    /// Messages merge field by field, lists and scalars are replaced, as Google's updates do.
    func merge(_ source: JSONObject, into target: inout JSONObject) {
        if selectsAll {
            target = source
            return
        }
        for (field, mask) in children.sorted(by: { $0.key < $1.key }) {
            guard !mask.selectsAll else {
                target[field] = source[field]
                continue
            }
            var nested = target[field]?.object ?? JSONObject()
            mask.merge(source[field]?.object ?? JSONObject(), into: &nested)
            target[field] = nested.isEmpty ? Optional.none : JSON.object(nested)
        }
    }

    /// The first path that the message type does not have, joined by `separator`; nil where all are known.
    func unknownPath(in type: FieldType, schema: APISchema, separator: String = ".") -> String? {
        switch type {
        case .list(let element): return unknownPath(in: element, schema: schema, separator: separator)
        case .map(let element):
            for mask in children.values {
                if let path = mask.unknownPath(in: element, schema: schema, separator: separator) { return path }
            }
            return nil
        case .message(let name):
            guard let message = schema.types[name] else { return nil }
            if let element = message.element { return unknownPath(in: element, schema: schema, separator: separator) }
            for (field, mask) in children.sorted(by: { $0.key < $1.key }) where field != "*" {
                guard let type = message.fields[field] else { return field }
                if let rest = mask.unknownPath(in: type, schema: schema, separator: separator) {
                    return field + separator + rest
                }
            }
            return nil
        case .any: return nil
        default: return children.keys.filter { $0 != "*" }.min()
        }
    }
}

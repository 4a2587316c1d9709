/// A JSON value that keeps what the text said: numbers to the digit, members in their order.
///
/// Numbers stay text until somebody asks for a type, because a payload's `12345678901234567` must not become
/// `12345678901234568` on its way to a cell.
public enum JSON: Sendable, Hashable {
    case null
    case bool(Bool)
    case number(JSONNumber)
    case string(String)
    case array([JSON])
    /// A long array that was not read into values yet; only a reader that is told to makes it.
    case text(JSONText)
    case object(JSONObject)
}

extension JSON {
    /// The member of an object by its name; nil for a missing member and for every value that is not an object.
    public subscript(name: String) -> JSON? {
        if case .object(let object) = self { return object[name] }
        return nil
    }

    /// The element of an array by its index; nil outside it and for every value that is not an array.
    public subscript(index: Int) -> JSON? {
        if let elements = array, elements.indices.contains(index) { return elements[index] }
        return nil
    }

    /// The text of a string value.
    public var string: String? {
        if case .string(let value) = self { return value }
        return nil
    }

    /// The truth of a boolean value.
    public var bool: Bool? {
        if case .bool(let value) = self { return value }
        return nil
    }

    /// The whole number of a number value that is one and fits 64 bits.
    public var int: Int? {
        if case .number(let value) = self { return value.int }
        return nil
    }

    /// The nearest double of a number value.
    public var double: Double? {
        if case .number(let value) = self { return value.double }
        return nil
    }

    /// The elements of an array value.
    public var array: [JSON]? {
        switch self {
        case .array(let value): value
        case .text(let text): Array(text)
        default: nil
        }
    }

    /// The elements of an array value, one after another; those of a text become values only then.
    public var elements: JSONElements? {
        switch self {
        case .array(let value): JSONElements(value)
        case .text(let text): JSONElements(text)
        default: nil
        }
    }

    /// The members of an object value.
    public var object: JSONObject? {
        if case .object(let value) = self { return value }
        return nil
    }

    /// Whether this is `null`.
    public var isNull: Bool { self == .null }

    /// The kind of value in words a person reads in an error: `a whole number`, `an object`; never the value itself.
    public var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .number(let number) where !number.isInteger: "a number with a fraction or an exponent"
        case .number(let number): number.int == nil ? "a whole number beyond 64 bits" : "a whole number"
        case .string(let text): text.isEmpty ? "an empty string" : "a string"
        case .array, .text: "an array"
        case .object: "an object"
        }
    }
}

extension JSON {
    /// Two values are equal when they say the same; whether an array was read or is a text yet makes no difference.
    public static func == (left: Self, right: Self) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let one), .bool(let other)): one == other
        case (.number(let one), .number(let other)): one == other
        case (.string(let one), .string(let other)): one == other
        case (.array(let one), .array(let other)): one == other
        case (.text(let one), .text(let other)): one == other
        case (.text(let text), .array(let values)), (.array(let values), .text(let text)):
            text.count == values.count && text.elementsEqual(values)
        case (.object(let one), .object(let other)): one == other
        default: false
        }
    }

    /// Feeds the hasher; with the number of elements of an array alone.
    public func hash(into hasher: inout Hasher) {
        switch self {
        case .null: break
        case .bool(let value): hasher.combine(value)
        case .number(let value): hasher.combine(value)
        case .string(let value): hasher.combine(value)
        case .array(let values): hasher.combine(values.count)
        case .text(let text): hasher.combine(text.count)
        case .object(let value): hasher.combine(value)
        }
    }
}

extension JSON: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByStringLiteral,
    ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// Makes `null`.
    public init(nilLiteral: ()) { self = .null }
    /// Makes a boolean.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// Makes a string.
    public init(stringLiteral value: String) { self = .string(value) }
    /// Makes a number from a whole number.
    public init(integerLiteral value: Int) { self = .number(JSONNumber(value)) }
    /// Makes a number from a double; one that JSON cannot say (infinite, not a number) becomes `null`.
    public init(floatLiteral value: Double) { self = JSON(value) }
    /// Makes an array.
    public init(arrayLiteral elements: JSON...) { self = .array(elements) }
    /// Makes an object with the members in the order written.
    public init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(JSONObject(elements.map { JSONObject.Member(name: $0.0, value: $0.1) }))
    }

    /// Makes a string, or `null` for none.
    public init(_ value: String?) { self = value.map(JSON.string) ?? .null }
    /// Makes a whole number.
    public init(_ value: some BinaryInteger) { self = .number(JSONNumber(value)) }
    /// Makes a boolean.
    public init(_ value: Bool) { self = .bool(value) }
    /// Makes a number; one that JSON cannot say (infinite, not a number) becomes `null`.
    public init(_ value: Double) { self = JSONNumber(value).map(JSON.number) ?? .null }
}

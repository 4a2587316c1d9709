import JSON

/// Reads scalars as the JSON form of protocol buffers allows them: `5` and `"5"` are both an integer.
enum ScalarParser {
    /// The value in its usual form; nil where it is none of the type.
    ///
    /// Returns stand alone, for in `a ? value : nil` the nil would be JSON's null.
    static func canonical(_ value: JSON, _ type: FieldType) -> JSON? {
        switch type {
        case .string, .fieldMask, .timestamp, .bytes:
            guard value.string != nil else { return nil }
            return value
        case .boolean:
            if value.bool != nil { return value }
            return switch value.string {
            case "true": true
            case "false": false
            default: nil
            }
        case .int32: return whole(value, within: Int(Int32.min)...Int(Int32.max))
        case .uint32: return whole(value, within: 0...Int(UInt32.max))
        case .int64: return whole(value, within: Int.min...Int.max)
        case .float, .double:
            if case .number = value { return value }
            return value.string.flatMap(Double.init).map { JSON($0) }
        case .enumeration(let names):
            guard let name = value.string, names.contains(name) else { return nil }
            return value
        case .any, .message, .list, .map: return value
        }
    }

    private static func whole(_ value: JSON, within range: ClosedRange<Int>) -> JSON? {
        if let number = value.int, range.contains(number) { return value }
        let read = value.double ?? value.string.flatMap(Double.init)
        guard let read, let number = Int(exactly: read), range.contains(number) else { return nil }
        return JSON(number)
    }
}

import JSON

/// Reads scalars as the JSON form of protocol buffers allows them: `5` and `"5"` are both an integer.
enum ScalarParser {
    /// The value in its usual form; nil where it is none of the type.
    static func canonical(_ value: JSON, _ type: FieldType) -> JSON? {
        switch type {
        case .string, .fieldMask, .timestamp, .bytes:
            return value.string == nil ? nil : value
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
            return value.string.map(names.contains) == true ? value : nil
        case .any, .message, .list, .map: return value
        }
    }

    private static func whole(_ value: JSON, within range: ClosedRange<Int>) -> JSON? {
        if let number = value.int { return range.contains(number) ? value : nil }
        let read = value.double ?? value.string.flatMap(Double.init)
        guard let read, let number = Int(exactly: read), range.contains(number) else { return nil }
        return JSON(number)
    }
}

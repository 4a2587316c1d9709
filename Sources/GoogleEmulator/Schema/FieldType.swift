/// What a field of a message or a query parameter holds, as Google's discovery documents say it.
indirect enum FieldType: Sendable, Hashable {
    case string, boolean, int32, uint32, int64, float, double, timestamp, bytes, fieldMask, any
    /// One of a few names.
    case enumeration([String])
    /// An object of the named message type.
    case message(String)
    case list(FieldType)
    case map(FieldType)

    /// The name Google's errors use for a scalar type: `TYPE_INT32`.
    ///
    /// Enums and well-known messages go by a type address instead.
    func googleName(field: String) -> String {
        switch self {
        case .string: "TYPE_STRING"
        case .boolean: "TYPE_BOOL"
        case .int32: "TYPE_INT32"
        case .uint32: "TYPE_UINT32"
        case .int64: "TYPE_INT64"
        case .float: "TYPE_FLOAT"
        case .double: "TYPE_DOUBLE"
        case .bytes: "TYPE_BYTES"
        case .timestamp: "type.googleapis.com/google.protobuf.Timestamp"
        case .fieldMask: "type.googleapis.com/google.protobuf.FieldMask"
        case .any: "type.googleapis.com/google.protobuf.Value"
        case .list(.any): "type.googleapis.com/google.protobuf.ListValue"
        case .list(let element): element.googleName(field: field)
        case .map: "type.googleapis.com/google.protobuf.Struct"
        case .message(let name): "type.googleapis.com/google.apps.sheets.v4.\(name)"
        // The documents do not name enums; Google mostly names them after the field.
        case .enumeration:
            "type.googleapis.com/google.apps.sheets.v4.\(field.prefix(1).uppercased() + field.dropFirst())"
        }
    }
}

/// The member names that were read lately, so that the same name is not made anew for each object.
///
/// A name has one slot; whoever comes later takes it over.
struct NameTable: Sendable {
    private static let size = 64

    private var names = [String](repeating: "", count: size)

    /// The name of these bytes, where it is among those kept.
    func name(_ bytes: Span<UInt8>) -> String? {
        let name = names[Self.slot(bytes)]
        let kept = name.utf8Span.span
        guard kept.count == bytes.count else { return nil }
        for index in bytes.indices where kept[index] != bytes[index] { return nil }
        return name
    }

    mutating func keep(_ name: String) { names[Self.slot(name.utf8Span.span)] = name }

    private static func slot(_ bytes: Span<UInt8>) -> Int {
        guard !bytes.isEmpty else { return 0 }
        return (bytes.count * 31 + Int(bytes[0]) * 7 + Int(bytes[bytes.count - 1])) % size
    }
}

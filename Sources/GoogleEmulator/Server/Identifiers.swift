/// Random names in the manner of Google's.
enum Identifiers {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")

    /// Letters, digits, `-` and `_`.
    static func random(_ count: Int) -> String {
        var generator = SystemRandomNumberGenerator()
        return String((0..<count).map { _ in alphabet[Int.random(in: 0..<64, using: &generator)] })
    }

    /// The id of a file, in two lengths as Google has them: 44 characters for documents, 33 for the rest.
    static func file(isDocument: Bool) -> String { "1" + random(isDocument ? 43 : 32) }

    /// A positive number of 31 bits, as Sheets gives to sheets, bandings and metadata.
    static func number() -> Int { Int(Int32.random(in: 1...Int32.max)) }
}

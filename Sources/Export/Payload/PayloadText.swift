/// The rules for names that a payload gives to files and folders.
enum PayloadText {
    /// The longest name in UTF-16 units.
    static let longestName = 1_000

    /// Refuses a name that is blank, too long, or has characters that nobody sees.
    static func checkName(_ name: String, at path: String) throws(PayloadError) {
        guard !name.allSatisfy(\.isWhitespace) else { throw PayloadError(at: path, "must not be empty") }
        guard name.utf16.count <= longestName else {
            throw PayloadError(at: path, "expected at most \(longestName) characters, got \(name.utf16.count)")
        }
        guard name.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else {
            throw PayloadError(at: path, "must not have control characters")
        }
    }

    /// Refuses what cannot be a file's id in Drive, and would not be safe in a URL.
    static func checkFileID(_ id: String, of kind: String, at path: String) throws(PayloadError) {
        let isID = (1...200).contains(id.utf8.count) && id.utf8.allSatisfy(isIDByte)
        guard isID else {
            throw PayloadError(at: path, "expected the id of a Drive \(kind): letters, digits, - and _ only")
        }
    }

    private static func isIDByte(_ byte: UInt8) -> Bool {
        isLetter(byte | 0x20) || isDigit(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }

    /// Refuses what is not a locale as Google writes it: a language of two or three letters, perhaps a country.
    static func checkLocale(_ locale: String, at path: String) throws(PayloadError) {
        let parts = locale.utf8.split(separator: UInt8(ascii: "_"), omittingEmptySubsequences: false)
        let isLanguage = (2...3).contains(parts[0].count) && parts[0].allSatisfy(isLetter)
        let country = parts.dropFirst().first
        let isCountry =
            country.map { country in
                country.count == 2 && country.allSatisfy { isLetter($0 | 0x20) && $0 & 0x20 == 0 }
                    || country.count == 3 && country.allSatisfy(isDigit)
            } ?? true
        guard isLanguage, isCountry, parts.count <= 2 else {
            throw PayloadError(at: path, "expected a locale such as en_US or de")
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}

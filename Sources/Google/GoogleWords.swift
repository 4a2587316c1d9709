/// Google's own error texts, made fit for a log.
enum GoogleWords {
    private static let greatestLength = 400

    /// One line, shortened, without tokens and without values that Google repeats from the request.
    static func tidied(_ text: String) -> String {
        let lines = text.split(whereSeparator: \.isNewline).map { withoutValue($0) }
        let words = lines.joined(separator: " ").split(whereSeparator: \.isWhitespace).map { withoutToken($0) }
        let line = String(
            words.joined(separator: " ").unicodeScalars.filter { $0.properties.generalCategory != .control })
        return line.count > greatestLength ? line.prefix(greatestLength) + "…" : line
    }

    /// `Invalid value at 'data.values[3]' (TYPE), "what stood in the cell"` keeps only what tells the place.
    private static func withoutValue(_ line: Substring) -> Substring {
        guard line.contains("Invalid value at"), let end = line.firstRange(of: "), ") else { return line }
        return line[...end.lowerBound]
    }

    /// Access tokens, refresh tokens and assertions begin like these.
    private static func withoutToken(_ word: Substring) -> Substring {
        for prefix in ["ya29.", "1//", "eyJ"] where word.contains(prefix) { return "[secret]" }
        return word
    }
}

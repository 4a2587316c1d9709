/// A file of settings as systemd's `EnvironmentFile=` reads it: `NAME=value`, quotes of both kinds, backslashes, lines that go
/// on, comments.
///
/// The states are those of systemd's `parse_env_file`. Where versions differ, behind a comment that ends with a backslash, it is
/// that of version 254 and newer: the next line counts.
enum EnvironmentFile {
    private enum State {
        case beforeName, name, beforeValue, value, escaped, inSingleQuotes, inDoubleQuotes, escapedInDoubleQuotes
        case comment, escapedInComment
    }

    /// The settings of a text; the last one of a name wins.
    static func settings(in text: String) -> [String: String] {
        Dictionary(assignments(in: text).map { ($0.name, $0.value) }) { $1 }
    }

    /// The assignments in their order; names that no environment takes are left out.
    static func assignments(in text: String) -> [(name: String, value: String)] {
        var assignments: [(name: String, value: String)] = []
        var state = State.beforeName
        var name: [UInt8] = []
        var value: [UInt8] = []
        // How much of the value stays when white space at its end is cut off, which what was quoted is not.
        var kept = 0

        func isBreak(_ byte: UInt8) -> Bool { byte == 0x0A || byte == 0x0D }
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || isBreak(byte) }
        func end() {
            while let last = name.last, isSpace(last) { name.removeLast() }
            let (found, text) = (String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self))
            if isName(name) { assignments.append((found, text)) }
            (name, value, kept) = ([], [], 0)
        }

        for byte in text.utf8 {
            switch state {
            case .beforeName:
                if byte == UInt8(ascii: "#") || byte == UInt8(ascii: ";") {
                    state = .comment
                } else if !isSpace(byte) {
                    state = .name
                    name.append(byte)
                }
            case .name:
                if isBreak(byte) {
                    (state, name) = (.beforeName, [])
                } else if byte == UInt8(ascii: "=") {
                    state = .beforeValue
                } else {
                    name.append(byte)
                }
            case .beforeValue:
                if isBreak(byte) {
                    state = .beforeName
                    end()
                } else if byte == UInt8(ascii: "'") {
                    state = .inSingleQuotes
                } else if byte == UInt8(ascii: "\"") {
                    state = .inDoubleQuotes
                } else if byte == UInt8(ascii: "\\") {
                    state = .escaped
                } else if !isSpace(byte) {
                    state = .value
                    value.append(byte)
                    kept = value.count
                }
            case .value:
                if isBreak(byte) {
                    state = .beforeName
                    value.removeLast(value.count - kept)
                    end()
                } else if byte == UInt8(ascii: "\\") {
                    state = .escaped
                    kept = value.count
                } else {
                    value.append(byte)
                    if !isSpace(byte) { kept = value.count }
                }
            case .escaped:
                state = .value
                // The line goes on.
                if !isBreak(byte) { value.append(byte) }
                kept = value.count
            case .inSingleQuotes:
                if byte == UInt8(ascii: "'") { state = .beforeValue } else { value.append(byte) }
            case .inDoubleQuotes:
                if byte == UInt8(ascii: "\"") {
                    state = .beforeValue
                } else if byte == UInt8(ascii: "\\") {
                    state = .escapedInDoubleQuotes
                } else {
                    value.append(byte)
                }
            case .escapedInDoubleQuotes:
                state = .inDoubleQuotes
                if "\"\\`$".utf8.contains(byte) {
                    value.append(byte)
                } else if byte != 0x0A {
                    value += [UInt8(ascii: "\\"), byte]
                }
            case .comment:
                if byte == UInt8(ascii: "\\") {
                    state = .escapedInComment
                } else if isBreak(byte) {
                    state = .beforeName
                }
            case .escapedInComment: state = isBreak(byte) ? .beforeName : .comment
            }
        }
        switch state {
        case .beforeName, .name, .comment, .escapedInComment: break
        case .value:
            value.removeLast(value.count - kept)
            end()
        case .beforeValue, .escaped, .inSingleQuotes, .inDoubleQuotes, .escapedInDoubleQuotes: end()
        }
        return assignments
    }

    /// Letters, digits and underscores, no digit first.
    private static func isName(_ bytes: [UInt8]) -> Bool {
        guard let first = bytes.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return false }
        return bytes.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_")
        }
    }
}

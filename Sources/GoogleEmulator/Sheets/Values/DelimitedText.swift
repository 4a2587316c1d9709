/// Text in lines whose fields a delimiter parts, as clipboards and CSV files hold it.
enum DelimitedText {
    /// The fields, line by line; a field in quotation marks may hold delimiters and line ends.
    static func rows(_ text: String, delimiter: String) -> [[String]] {
        let bytes = Array(text.utf8)
        let mark = Array(delimiter.utf8)
        var rows: [[String]] = []
        var fields: [String] = []
        var field: [UInt8] = []
        var isQuoted = false
        var index = 0
        func ends(at index: Int) -> Bool { bytes[index...].starts(with: mark) }
        while index < bytes.count {
            let byte = bytes[index]
            if isQuoted {
                if byte == UInt8(ascii: "\"") {
                    if index + 1 < bytes.count, bytes[index + 1] == byte {
                        field.append(byte)
                        index += 1
                    } else {
                        isQuoted = false
                    }
                } else {
                    field.append(byte)
                }
            } else if byte == UInt8(ascii: "\""), field.isEmpty {
                isQuoted = true
            } else if ends(at: index) {
                fields.append(String(decoding: field, as: UTF8.self))
                field = []
                index += mark.count - 1
            } else if byte == UInt8(ascii: "\n") {
                if field.last == UInt8(ascii: "\r") { field.removeLast() }
                rows.append(fields + [String(decoding: field, as: UTF8.self)])
                fields = []
                field = []
            } else {
                field.append(byte)
            }
            index += 1
        }
        if !field.isEmpty || !fields.isEmpty { rows.append(fields + [String(decoding: field, as: UTF8.self)]) }
        return rows
    }
}

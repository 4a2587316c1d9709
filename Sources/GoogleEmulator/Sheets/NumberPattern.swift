/// A number format of Sheets: `#,##0.00`, `0%`, `yyyy-mm-dd hh:mm:ss`, `"$"#,##0;[red]-"$"#,##0`.
struct NumberPattern: Sendable {
    private enum Section: Sendable {
        case general
        case number(DecimalPattern)
        case date(DatePattern)
    }

    private let sections: [Section]

    /// The patterns that Sheets uses where a format has a type only.
    private static let usual: [String: String] = [
        "NUMBER": "#,##0.00", "PERCENT": "0.00%", "CURRENCY": "$#,##0.00", "DATE": "m/d/yyyy", "TIME": "h:mm:ss am/pm",
        "DATE_TIME": "m/d/yyyy h:mm:ss", "SCIENTIFIC": "0.00E+00",
    ]

    /// Takes Google's `NumberFormat`.
    init(type: String, pattern: String?) {
        let pattern = pattern.flatMap { $0.isEmpty ? nil : $0 }
        self.init(pattern ?? Self.usual[type] ?? "")
    }

    /// Reads a pattern; an empty one is Sheets' automatic format.
    init(_ pattern: String) {
        sections = PatternToken.sections(of: pattern).map { tokens in
            if tokens.contains(where: \.isDate) { return .date(DatePattern(tokens)) }
            return tokens.isEmpty || tokens.contains(.general) ? .general : .number(DecimalPattern(tokens))
        }
    }

    /// The number as text.
    func text(_ number: Double) -> String {
        let isNegative = number < 0
        // The second section, where there is one, is for negative numbers and brings its own sign; the third is for zero.
        let index = number == 0 && sections.count > 2 ? 2 : isNegative && sections.count > 1 ? 1 : 0
        guard index < sections.count else { return Self.automatic(number) }
        switch sections[index] {
        case .general: return Self.automatic(number)
        case .date(let pattern): return pattern.text(number)
        case .number(let pattern):
            return (isNegative && index == 0 ? "-" : "") + pattern.text(number.magnitude)
        }
    }

    /// A number as Sheets shows it without a format: no more than ten decimals.
    private static func automatic(_ number: Double) -> String {
        let magnitude = number.magnitude
        if magnitude >= 1e15 || (magnitude > 0 && magnitude < 1e-9) {
            return DecimalPattern(PatternToken.sections(of: "0.#####E+00")[0]).text(magnitude).signed(number < 0)
        }
        return Decimals.text(magnitude, least: 0, most: 10).signed(number < 0)
    }
}

extension String {
    fileprivate func signed(_ isNegative: Bool) -> String { isNegative && self != "0" ? "-" + self : self }
}

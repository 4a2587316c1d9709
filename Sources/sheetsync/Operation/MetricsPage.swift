/// Metrics in Prometheus's text form.
struct MetricsPage {
    enum Kind: String {
        case counter, gauge, histogram
    }

    private(set) var text = ""

    /// Adds a metric with its samples; one without samples is left out.
    mutating func add(
        _ name: String, _ kind: Kind, _ help: String,
        _ samples: [(suffix: String, labels: [(String, String)], value: Double)]
    ) {
        guard !samples.isEmpty else { return }
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
        for sample in samples {
            let labels = sample.labels.map { "\($0)=\"\(Self.escaped($1))\"" }.joined(separator: ",")
            text += "\(name)\(sample.suffix)\(labels.isEmpty ? "" : "{\(labels)}") \(Self.number(sample.value))\n"
        }
    }

    /// Adds a metric with one sample, where its value is known.
    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: Double?) {
        if let value { add(name, kind, help, [("", [], value)]) }
    }

    /// Adds a metric with one sample, where its value is known.
    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: Int?) {
        add(name, kind, help, value.map(Double.init))
    }

    static func number(_ value: Double) -> String {
        guard let whole = Int(exactly: value) else { return value.isFinite ? "\(value)" : "NaN" }
        return "\(whole)"
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}

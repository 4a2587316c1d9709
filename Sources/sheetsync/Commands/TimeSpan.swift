import ArgumentParser

/// A length of time on the command line: `90s`, `30m`, `12h`, `7d`.
struct TimeSpan: ExpressibleByArgument {
    let seconds: Double

    init(seconds: Double) { self.seconds = seconds }

    init?(argument: String) {
        let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let last = argument.last, let unit = units[last], let number = Double(argument.dropLast()),
            number > 0, number * unit < 1e9
        else { return nil }
        seconds = number * unit
    }
}

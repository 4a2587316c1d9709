/// An error as a cell shows it.
enum FormulaError: String, Error, Sendable, Hashable {
    case name = "#NAME?"
    case division = "#DIV/0!"
    case reference = "#REF!"
    case value = "#VALUE!"
    case number = "#NUM!"
    case notAvailable = "#N/A"
    case syntax = "#ERROR!"

    /// The name in Google's `ErrorValue.type`.
    var type: String {
        switch self {
        case .name: "NAME"
        case .division: "DIVIDE_BY_ZERO"
        case .reference: "REF"
        case .value: "VALUE"
        case .number: "NUM"
        case .notAvailable: "N_A"
        case .syntax: "ERROR"
        }
    }
}

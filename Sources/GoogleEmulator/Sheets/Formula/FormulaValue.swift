/// What a formula comes to.
enum FormulaValue: Sendable, Hashable {
    case empty
    case number(Double)
    case text(String)
    case boolean(Bool)
    case error(FormulaError)

    /// The value as a number, as arithmetic takes it.
    var number: Result<Double, FormulaError> {
        switch self {
        case .empty: .success(0)
        case .number(let number): .success(number)
        case .boolean(let value): .success(value ? 1 : 0)
        case .text(let text): Double(text).map { .success($0) } ?? .failure(.value)
        case .error(let error): .failure(error)
        }
    }

    /// The value as a piece of text.
    var text: String {
        switch self {
        case .empty: ""
        case .number(let number): NumberPattern("").text(number)
        case .boolean(let value): value ? "TRUE" : "FALSE"
        case .text(let text): text
        case .error(let error): error.rawValue
        }
    }
}

import Glibc

/// The functions that formulas may call.
enum FormulaFunctions {
    /// What a call comes to.
    static func call(
        _ name: String, _ arguments: [FormulaExpression], _ sheet: Int, _ evaluator: FormulaEvaluator
    ) -> FormulaValue {
        switch name {
        case "SUM", "AVERAGE", "MAX", "MIN", "PRODUCT": aggregate(name, arguments, sheet, evaluator)
        case "COUNT", "COUNTA":
            .number(
                Double(
                    arguments.flatMap { evaluator.values($0, sheet).values }.count { value in
                        if case .number = value { return true }
                        return name == "COUNTA" && value != .empty
                    }))
        case "CONCAT", "CONCATENATE":
            joined(arguments.flatMap { evaluator.values($0, sheet).values })
        case "NA": .error(.notAvailable)
        case "IF": condition(arguments, sheet, evaluator)
        case "AND", "OR": logic(name, arguments, sheet, evaluator)
        case "ABS", "ROUND", "INT", "SQRT", "MOD": rounding(name, arguments.map { evaluator.evaluate($0, sheet) })
        case "LEN", "UPPER", "LOWER", "TRIM", "NOT": single(name, arguments.map { evaluator.evaluate($0, sheet) })
        default: .error(.name)
        }
    }

    private static func aggregate(
        _ name: String, _ arguments: [FormulaExpression], _ sheet: Int, _ evaluator: FormulaEvaluator
    ) -> FormulaValue {
        guard !arguments.isEmpty else { return .error(.notAvailable) }
        var numbers: [Double] = []
        for argument in arguments {
            let (values, isRange) = evaluator.values(argument, sheet)
            for value in values {
                switch value {
                case .number(let number): numbers.append(number)
                case .error: return value
                // In a range only numbers count; what stands in the formula itself must be one.
                default:
                    guard !isRange else { continue }
                    switch value.number {
                    case .success(let number): numbers.append(number)
                    case .failure(let error): return .error(error)
                    }
                }
            }
        }
        switch name {
        case "SUM": return .number(numbers.reduce(0, +))
        case "PRODUCT": return .number(numbers.reduce(1, *))
        case "MAX": return .number(numbers.max() ?? 0)
        case "MIN": return .number(numbers.min() ?? 0)
        default: return numbers.isEmpty ? .error(.division) : .number(numbers.reduce(0, +) / Double(numbers.count))
        }
    }

    private static func joined(_ values: [FormulaValue]) -> FormulaValue {
        for value in values { if case .error = value { return value } }
        return .text(values.map(\.text).joined())
    }

    private static func condition(
        _ arguments: [FormulaExpression], _ sheet: Int, _ evaluator: FormulaEvaluator
    ) -> FormulaValue {
        guard (2...3).contains(arguments.count) else { return .error(.notAvailable) }
        switch evaluator.evaluate(arguments[0], sheet).number {
        case .failure(let error): return .error(error)
        case .success(let number):
            if number != 0 { return evaluator.evaluate(arguments[1], sheet) }
            return arguments.count > 2 ? evaluator.evaluate(arguments[2], sheet) : .boolean(false)
        }
    }

    private static func logic(
        _ name: String, _ arguments: [FormulaExpression], _ sheet: Int, _ evaluator: FormulaEvaluator
    ) -> FormulaValue {
        var result = name == "AND"
        for value in arguments.flatMap({ evaluator.values($0, sheet).values }) where value != .empty {
            switch value.number {
            case .failure(let error): return .error(error)
            case .success(let number): result = name == "AND" ? result && number != 0 : result || number != 0
            }
        }
        return .boolean(result)
    }

    private static func rounding(_ name: String, _ values: [FormulaValue]) -> FormulaValue {
        var numbers: [Double] = []
        for value in values {
            switch value.number {
            case .failure(let error): return .error(error)
            case .success(let number): numbers.append(number)
            }
        }
        guard let first = numbers.first else { return .error(.notAvailable) }
        switch (name, numbers.count) {
        case ("ABS", 1): return .number(first.magnitude)
        case ("INT", 1): return .number(first.rounded(.down))
        case ("SQRT", 1): return first < 0 ? .error(.number) : .number(first.squareRoot())
        case ("MOD", 2):
            guard numbers[1] != 0 else { return .error(.division) }
            return .number(first - numbers[1] * (first / numbers[1]).rounded(.down))
        case ("ROUND", 1...2):
            let scale = pow(10, numbers.count > 1 ? numbers[1].rounded(.towardZero) : 0)
            return .number((first * scale).rounded(.toNearestOrAwayFromZero) / scale)
        default: return .error(.notAvailable)
        }
    }

    private static func single(_ name: String, _ values: [FormulaValue]) -> FormulaValue {
        guard values.count == 1 else { return .error(.notAvailable) }
        if case .error = values[0] { return values[0] }
        switch name {
        case "LEN": return .number(Double(values[0].text.utf16.count))
        case "UPPER": return .text(values[0].text.uppercased())
        case "LOWER": return .text(values[0].text.lowercased())
        case "TRIM": return .text(values[0].text.split(separator: " ").joined(separator: " "))
        default:
            switch values[0].number {
            case .failure(let error): return .error(error)
            case .success(let number): return .boolean(number == 0)
            }
        }
    }
}

/// A formula as a tree.
indirect enum FormulaExpression: Sendable {
    case value(FormulaValue)
    /// Cells, of the named sheet or of the formula's own.
    case range(sheet: String?, GridRange)
    case name(String)
    case negated(FormulaExpression)
    case percent(FormulaExpression)
    case operation(String, FormulaExpression, FormulaExpression)
    case call(String, [FormulaExpression])
}

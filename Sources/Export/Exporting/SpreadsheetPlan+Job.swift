import JSON
import JobQueue
import SheetModel

extension SpreadsheetPlan {
    /// Plans a job; what does not fit together with the target is wrong with the payload.
    init(
        forJob spreadsheet: Spreadsheet, target: PlanTarget, removing leftovers: [Int] = [],
        template: FormattingTemplate?,
        notes: @escaping @Sendable (_ sheet: Int, _ id: Int) -> [JSON] = { _, _ in [] }, batchBytes: Int
    ) throws(JobFailure) {
        do throws(SheetModelError) {
            try self.init(
                spreadsheet, target: target, removing: leftovers, template: template, notes: notes,
                batchBytes: batchBytes)
        } catch {
            throw JobFailure(.payloadInvalid, error.description, retry: .never)
        }
    }
}

extension StagedPlan {
    /// Plans a job's replacement; where there is no room for it, the payload is too large for its target.
    init(
        forJob plan: SpreadsheetPlan, among sheets: [ExistingSheet], removing leftovers: [Int],
        hidden: [(id: Int, title: String)]
    ) throws(JobFailure) {
        do throws(SheetModelError) {
            try self.init(plan, among: sheets, removing: leftovers, hidden: hidden)
        } catch {
            throw JobFailure(.payloadInvalid, error.description, retry: .never)
        }
    }
}

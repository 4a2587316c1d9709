public import JSON
import SheetModel

/// The payload of a job of kind `format`: a template over sheets that are there.
public struct FormatPayload: Sendable, Hashable {
    /// The spreadsheet's id.
    public let spreadsheetID: String
    /// The template's name.
    public let template: String
    /// The names of the sheets; nil for all of them.
    public let sheets: [String]?

    /// Reads a payload.
    public init(_ json: JSON) throws(PayloadError) {
        let object = try PayloadObject(json, at: "", names: ["spreadsheet_id", "template", "sheets"])
        spreadsheetID = try object.required("spreadsheet_id")
        try PayloadText.checkFileID(spreadsheetID, of: "spreadsheet", at: "spreadsheet_id")
        template = try object.required("template")
        guard let elements = try object.array("sheets") else {
            sheets = nil
            return
        }
        guard !elements.isEmpty else { throw PayloadError(at: "sheets", "must name at least one sheet") }
        guard elements.count <= Limits.sheets else {
            throw PayloadError(at: "sheets", "expected at most \(Limits.sheets) names, got \(elements.count)")
        }
        var names: [String] = []
        var seen: Set<String> = []
        for (index, element) in elements.enumerated() {
            guard let name = element.string else {
                throw PayloadError(at: "sheets[\(index)]", "expected a string, got \(element.kind)")
            }
            guard name.utf16.count <= Limits.nameLength else {
                throw PayloadError(
                    at: "sheets[\(index)]",
                    "expected at most \(Limits.nameLength) characters, got \(name.utf16.count)")
            }
            guard seen.insert(name.lowercased()).inserted else {
                throw PayloadError(at: "sheets[\(index)]", "names the same sheet as an earlier entry")
            }
            names.append(name)
        }
        sheets = names
    }
}

import JSON

/// The requests about conditional formats, which are kept and shown, not computed.
enum ConditionalFormatRequests {
    @Sendable static func addConditionalFormatRule(
        _ request: JSON, _ spreadsheet: inout Spreadsheet
    ) throws(RequestError) -> JSON {
        let (sheet, rule) = try checked(request["rule"] ?? [:], spreadsheet)
        let index = request["index"]?.int ?? 0
        guard (0...spreadsheet.sheets[sheet].conditionalFormats.count).contains(index) else {
            throw RequestError("Invalid index: \(index)")
        }
        spreadsheet.sheets[sheet].conditionalFormats.insert(rule, at: index)
        return [:]
    }

    @Sendable static func updateConditionalFormatRule(
        _ request: JSON, _ spreadsheet: inout Spreadsheet
    ) throws(RequestError) -> JSON {
        let index = request["index"]?.int ?? 0
        var reply = JSONObject()
        if let rule = request["rule"] {
            let (sheet, new) = try checked(rule, spreadsheet)
            reply["oldRule"] = .object(try old(index, sheet, spreadsheet))
            spreadsheet.sheets[sheet].conditionalFormats[index] = new
            reply["newRule"] = .object(new)
            reply["newIndex"] = JSON(index)
        } else {
            let sheet = try spreadsheet.sheet(request["sheetId"]?.int ?? 0)
            let rule = try old(index, sheet, spreadsheet)
            let target = request["newIndex"]?.int ?? 0
            guard spreadsheet.sheets[sheet].conditionalFormats.indices.contains(target) else {
                throw RequestError("Invalid newIndex: \(target)")
            }
            spreadsheet.sheets[sheet].conditionalFormats.remove(at: index)
            spreadsheet.sheets[sheet].conditionalFormats.insert(rule, at: target)
            reply["oldRule"] = .object(rule)
            reply["oldIndex"] = JSON(index)
            reply["newRule"] = .object(rule)
            reply["newIndex"] = JSON(target)
        }
        return ["updateConditionalFormatRule": .object(reply)]
    }

    @Sendable static func deleteConditionalFormatRule(
        _ request: JSON, _ spreadsheet: inout Spreadsheet
    ) throws(RequestError) -> JSON {
        let sheet = try spreadsheet.sheet(request["sheetId"]?.int ?? 0)
        let index = request["index"]?.int ?? 0
        let rule = try old(index, sheet, spreadsheet)
        spreadsheet.sheets[sheet].conditionalFormats.remove(at: index)
        return ["deleteConditionalFormatRule": ["rule": .object(rule)]]
    }

    private static func old(_ index: Int, _ sheet: Int, _ spreadsheet: Spreadsheet) throws(RequestError) -> JSONObject {
        guard spreadsheet.sheets[sheet].conditionalFormats.indices.contains(index) else {
            throw RequestError("No conditional format on sheet: \(spreadsheet.sheets[sheet].id) at index: \(index)")
        }
        return spreadsheet.sheets[sheet].conditionalFormats[index]
    }

    private static func checked(
        _ rule: JSON, _ spreadsheet: Spreadsheet
    ) throws(RequestError) -> (sheet: Int, rule: JSONObject) {
        guard let ranges = rule["ranges"]?.array, !ranges.isEmpty else { throw RequestError("No ranges specified.") }
        guard (rule["booleanRule"] == nil) != (rule["gradientRule"] == nil) else {
            throw RequestError("Exactly one of booleanRule or gradientRule must be set.")
        }
        var places: [Int] = []
        var bounded: [JSON] = []
        for range in ranges {
            let (sheet, range) = try CellRequests.area(range, spreadsheet)
            places.append(sheet)
            bounded.append(range.bounded(by: spreadsheet.sheets[sheet].grid).json)
        }
        guard Set(places).count == 1 else {
            throw RequestError("All ranges of a conditional format rule must be on the same sheet.")
        }
        var object = ColorPairs.complete(rule.object ?? JSONObject())
        object["ranges"] = .array(bounded)
        return (places[0], object)
    }
}

import JSON

/// Sheets' `spreadsheets.batchUpdate`: a list of requests, applied to a spreadsheet in order, all or none.
enum BatchUpdate {
    /// What one kind of request does: it changes the spreadsheet and gives its reply.
    typealias Kind = @Sendable (JSON, inout Spreadsheet) throws(RequestError) -> JSON

    /// What a kind of request does that brings rows of cells.
    typealias RowKind = @Sendable (JSON, [[CellInput]], inout Spreadsheet) throws(RequestError) -> JSON

    /// The most requests that one batch may have.
    static let greatestCount = 100_000

    private static let kinds: [String: Kind] = [
        "updateSpreadsheetProperties": SheetRequests.updateSpreadsheetProperties,
        "updateSheetProperties": SheetRequests.updateSheetProperties,
        "addSheet": SheetRequests.addSheet,
        "deleteSheet": SheetRequests.deleteSheet,
        "repeatCell": CellRequests.repeatCell,
        "addBanding": BandingRequests.addBanding,
        "updateBanding": BandingRequests.updateBanding,
        "deleteBanding": BandingRequests.deleteBanding,
        "setBasicFilter": FilterRequests.setBasicFilter,
        "clearBasicFilter": FilterRequests.clearBasicFilter,
        "updateDimensionProperties": DimensionRequests.updateDimensionProperties,
        "autoResizeDimensions": DimensionRequests.autoResizeDimensions,
        "appendDimension": DimensionRequests.appendDimension,
        "createDeveloperMetadata": MetadataRequests.createDeveloperMetadata,
        "insertDimension": DimensionRequests.insertDimension,
        "deleteDimension": DimensionRequests.deleteDimension,
        "moveDimension": DimensionRequests.moveDimension,
        "copyPaste": PasteRequests.copyPaste,
        "cutPaste": PasteRequests.cutPaste,
        "pasteData": PasteRequests.pasteData,
        "insertRange": RangeRequests.insertRange,
        "deleteRange": RangeRequests.deleteRange,
        "sortRange": RangeRequests.sortRange,
        "deleteDuplicates": RangeRequests.deleteDuplicates,
        "findReplace": TextRequests.findReplace,
        "trimWhitespace": TextRequests.trimWhitespace,
        "textToColumns": TextRequests.textToColumns,
        "setDataValidation": CellPropertyRequests.setDataValidation,
        "updateBorders": CellPropertyRequests.updateBorders,
        "updateDeveloperMetadata": MetadataRequests.updateDeveloperMetadata,
        "deleteDeveloperMetadata": MetadataRequests.deleteDeveloperMetadata,
        "duplicateSheet": SheetRequests.duplicateSheet,
        "mergeCells": MergeRequests.mergeCells,
        "unmergeCells": MergeRequests.unmergeCells,
        "addNamedRange": NamedRangeRequests.addNamedRange,
        "updateNamedRange": NamedRangeRequests.updateNamedRange,
        "deleteNamedRange": NamedRangeRequests.deleteNamedRange,
        "addProtectedRange": ProtectedRangeRequests.addProtectedRange,
        "updateProtectedRange": ProtectedRangeRequests.updateProtectedRange,
        "deleteProtectedRange": ProtectedRangeRequests.deleteProtectedRange,
        "addConditionalFormatRule": ConditionalFormatRequests.addConditionalFormatRule,
        "updateConditionalFormatRule": ConditionalFormatRequests.updateConditionalFormatRule,
        "deleteConditionalFormatRule": ConditionalFormatRequests.deleteConditionalFormatRule,
        "addTable": TableRequests.addTable,
        "updateTable": TableRequests.updateTable,
        "deleteTable": TableRequests.deleteTable,
        "addDimensionGroup": DimensionGroupRequests.addDimensionGroup,
        "deleteDimensionGroup": DimensionGroupRequests.deleteDimensionGroup,
        "updateDimensionGroup": DimensionGroupRequests.updateDimensionGroup,
    ]

    private static let rowKinds: [String: RowKind] = [
        "updateCells": CellRequests.updateCells,
        "appendCells": AppendRequests.appendCells,
    ]

    /// Whether a kind of request has rows of cells as its `rows`.
    static func bringsRows(_ kind: String) -> Bool { rowKinds[kind] != nil }

    /// Applies the requests; the replies come one to one.
    ///
    /// `rows` are those that were read apart from their requests, by the place of the request. Whoever calls keeps the
    /// old value until this returns.
    static func apply(
        _ requests: [JSON], rows: [Int: [[CellInput]]] = [:], to spreadsheet: inout Spreadsheet
    ) throws(GoogleError) -> [JSON] {
        guard !requests.isEmpty else { throw .badRequest("Must specify at least one request.") }
        guard requests.count <= greatestCount else {
            throw .badRequest("Cannot exceed \(greatestCount) requests in a single batch.")
        }
        var replies: [JSON] = []
        replies.reserveCapacity(requests.count)
        for (index, request) in requests.enumerated() {
            guard let member = request.object?.first else {
                throw .badRequest("Invalid requests[\(index)]: No request set.")
            }
            let kind = kinds[member.name]
            let rowKind = rowKinds[member.name]
            guard kind != nil || rowKind != nil else { throw .unimplemented("the request \(member.name)") }
            do throws(RequestError) {
                let cellCount = spreadsheet.cellCount
                if let kind { replies.append(try kind(member.value, &spreadsheet)) }
                if let rowKind {
                    let rows = rows[index] ?? CellInput.rows(member.value["rows"])
                    replies.append(try rowKind(member.value, rows, &spreadsheet))
                }
                if spreadsheet.cellCount > cellCount { try checkSize(of: spreadsheet) }
            } catch {
                throw GoogleError(
                    code: error.code, message: "Invalid requests[\(index)].\(member.name): \(error.message)")
            }
        }
        return replies
    }

    /// Refuses a spreadsheet of too many cells.
    static func checkSize(of spreadsheet: Spreadsheet) throws(RequestError) {
        guard spreadsheet.cellCount <= Spreadsheet.greatestCellCount else {
            throw RequestError(
                "This action would increase the number of cells in the workbook above the limit of "
                    + "\(Spreadsheet.greatestCellCount) cells.")
        }
    }

    /// A request's `fields`, where they name fields of the message.
    static func fields(_ request: JSON, of type: String) throws(RequestError) -> FieldMask {
        guard let text = request["fields"]?.string, !text.isEmpty else {
            throw RequestError("At least one field must be listed in 'fields'. (Use '*' to indicate all fields.)")
        }
        let mask: FieldMask
        do { mask = try FieldMask(text) } catch { throw RequestError("Invalid field: \(text)") }
        if let path = mask.unknownPath(in: .message(type), schema: .sheets) {
            throw RequestError("Invalid field: \(path)")
        }
        return mask
    }
}

import JSON

/// A field of the contract that this version does not do yet.
///
/// The table below is the only place that knows of them: what a later version does loses its row there.
struct UnsupportedField {
    let name: String
    /// Values that ask for nothing beyond what this version does.
    var harmless: [JSON] = []

    static let ofSheet = [
        UnsupportedField(name: "query"),
        UnsupportedField(name: "params"),
        UnsupportedField(name: "mode", harmless: ["replace"]),
        UnsupportedField(name: "key"),
    ]

    /// Refuses an object that asks for one of the fields.
    static func refuse(_ fields: [UnsupportedField], in object: PayloadObject) throws(PayloadError) {
        for field in fields {
            guard let value = object[field.name], !field.harmless.contains(value) else { continue }
            let what = field.harmless.isEmpty ? field.name : "\(field.name) other than \(field.harmless[0])"
            throw PayloadError(
                .unsupported, at: object.path(of: field.name), "\(what) is not supported by this version")
        }
    }
}

import JSON

/// Keeps each colour in both of its fields, the old one (`backgroundColor`) and the new one (`backgroundColorStyle`).
enum ColorPairs {
    /// The object with both fields of each colour.
    ///
    /// Where both came, the style counts. Components that are 0 go.
    static func complete(_ object: JSONObject) -> JSONObject {
        var result = JSONObject()
        for member in object {
            switch member.value {
            case .object(let child) where isColor(member.name):
                let color = withoutZeros(child)
                result[member.name] = .object(color)
                if object[member.name + "Style"] == nil {
                    result[member.name + "Style"] = ["rgbColor": .object(color)]
                }
            case .object(let child) where isStyle(member.name):
                if let color = child["rgbColor"]?.object.map(withoutZeros) {
                    result[member.name] = ["rgbColor": .object(color)]
                    result[String(member.name.dropLast(5))] = .object(color)
                } else {
                    result[member.name] = member.value
                }
            case .object(let child): result[member.name] = .object(complete(child))
            default: result[member.name] = member.value
            }
        }
        return result
    }

    /// The mask that selects both fields of each colour that it selects one of.
    static func complete(_ mask: FieldMask) -> FieldMask {
        var children: [String: FieldMask] = [:]
        for (name, child) in mask.children {
            if isColor(name) {
                children[name] = .all
                children[name + "Style"] = .all
            } else if isStyle(name) {
                children[name] = .all
                children[String(name.dropLast(5))] = .all
            } else {
                children[name] = complete(child)
            }
        }
        return FieldMask(children: children)
    }

    private static func isColor(_ name: String) -> Bool {
        name == "color" || name.hasSuffix("Color") && name != "rgbColor"
    }
    private static func isStyle(_ name: String) -> Bool { name == "colorStyle" || name.hasSuffix("ColorStyle") }

    private static func withoutZeros(_ color: JSONObject) -> JSONObject {
        JSONObject(color.filter { $0.value.double != 0 })
    }
}

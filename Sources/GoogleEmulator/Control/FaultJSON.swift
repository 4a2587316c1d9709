import JSON

/// Faults as the emulator's controls read and write them.
enum FaultJSON {
    private static let members: Set<String> = [
        "api", "method", "path", "path_prefix", "body", "larger_than", "pattern", "with", "compressed", "count",
        "probability", "seed", "action", "status",
        "reason", "message",
        "seconds", "oauth",
    ]

    /// Reads `{"api":"drive","method":"POST","path":"files","count":2,"action":"error","status":503}`.
    static func fault(_ json: JSON) throws(ControlError) -> Fault {
        guard let object = json.object else { throw ControlError("A fault is a JSON object.") }
        if let unknown = object.names.first(where: { !members.contains($0) }) {
            throw ControlError(
                "A fault has no member \"\(unknown)\"; it may have \(members.sorted().joined(separator: ", ")).")
        }
        var fault = Fault(try action(json))
        if json["oauth"] != nil { fault.api = .oauth }
        switch json["api"]?.string {
        case nil, "any": break
        case let name?:
            guard let api = GoogleAPI(rawValue: name) else {
                let names = GoogleAPI.allCases.map(\.rawValue).joined(separator: ", ")
                throw ControlError("\"api\" is \(names) or any, not \"\(name)\".")
            }
            fault.api = api
        }
        fault.verb = json["method"]?.string
        fault.path =
            json["path_prefix"]?.string.map(Fault.PathRule.prefix) ?? json["path"]?.string.map(Fault.PathRule.contains)
        fault.body = try pattern(json["body"], "body")
        fault.largerThan = json["larger_than"]?.int ?? 0
        fault.isForPacked = json["compressed"]?.bool ?? false
        if let probability = json["probability"] {
            guard let value = probability.double, (0...1).contains(value) else {
                throw ControlError("\"probability\" is a number from 0 to 1.")
            }
            fault.probability = value
            fault.count = nil
        }
        if let count = json["count"] {
            guard let value = count.int, value > 0 else { throw ControlError("\"count\" is a whole number from 1 on.") }
            fault.count = value
        }
        fault.seed = UInt64(json["seed"]?.int?.magnitude ?? 0)
        return fault
    }

    /// A fault in force.
    static func json(_ rule: FaultRules.Rule) -> JSON {
        var object = JSONObject()
        object["id"] = JSON(rule.id)
        object["api"] = .string(rule.fault.api?.rawValue ?? "any")
        object["method"] = rule.fault.verb.map(JSON.string)
        switch rule.fault.path {
        case nil: break
        case .prefix(let text): object["path_prefix"] = .string(text)
        case .contains(let text): object["path"] = .string(text)
        }
        if rule.fault.largerThan > 0 { object["larger_than"] = JSON(rule.fault.largerThan) }
        object["body"] = rule.fault.body.map(JSON.string)
        if rule.fault.isForPacked { object["compressed"] = true }
        object["count"] = rule.fault.count.map { JSON($0) }
        object["probability"] = JSON(rule.fault.probability)
        object["action"] = .string(name(rule.fault.action))
        object["strikes"] = JSON(rule.strikes)
        return .object(object)
    }

    private static func action(_ json: JSON) throws(ControlError) -> Fault.Action {
        let status = json["status"]?.int
        guard (200...599).contains(status ?? 500) else { throw ControlError("\"status\" is an HTTP status.") }
        if let name = json["oauth"]?.string {
            guard let failure = OAuthFailure(rawValue: name) else {
                let names = OAuthFailure.allCases.map(\.rawValue).joined(separator: ", ")
                throw ControlError("\"oauth\" is one of \(names).")
            }
            return failure.action
        }
        switch json["action"]?.string {
        case "error":
            return .error(status: status ?? 503, reason: json["reason"]?.string, message: json["message"]?.string)
        case "html": return .html(status: status ?? 502)
        case "garbage": return .garbage
        case "truncate": return .truncate
        case "reset_before": return .resetBefore
        case "reset_after": return .resetAfter
        case "delay":
            guard let seconds = json["seconds"]?.double, seconds >= 0, seconds < 86_400 else {
                throw ControlError("The action \"delay\" needs \"seconds\".")
            }
            return .delay(.milliseconds(Int(seconds * 1000)))
        case "hang": return .hang
        case "edit_request", "edit_answer":
            guard let pattern = try pattern(json["pattern"], "pattern"), let text = json["with"]?.string else {
                throw ControlError("An edit needs \"pattern\" and \"with\".")
            }
            return json["action"]?.string == "edit_request"
                ? .editRequest(pattern: pattern, with: text) : .editAnswer(pattern: pattern, with: text)
        default:
            throw ControlError(
                "\"action\" is error, html, garbage, truncate, reset_before, reset_after, delay, hang, edit_request or "
                    + "edit_answer.")
        }
    }

    /// A regular expression; nil where none is given.
    private static func pattern(_ json: JSON?, _ name: String) throws(ControlError) -> String? {
        guard let text = json?.string else { return nil }
        guard (try? Regex(text)) != nil else { throw ControlError("\"\(name)\" is no regular expression.") }
        return text
    }

    private static func name(_ action: Fault.Action) -> String {
        switch action {
        case .error: "error"
        case .html: "html"
        case .garbage: "garbage"
        case .truncate: "truncate"
        case .resetBefore: "reset_before"
        case .resetAfter: "reset_after"
        case .delay: "delay"
        case .hang: "hang"
        case .editRequest: "edit_request"
        case .editAnswer: "edit_answer"
        }
    }
}

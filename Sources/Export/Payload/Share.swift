public import Google
import JSON

/// One person, group or domain that a spreadsheet is shared with.
public struct Share: Sendable, Hashable {
    /// Who may do what.
    public let permission: DrivePermission
    /// Whether Google sends a mail about it.
    public let notifies: Bool
    /// The text of that mail; nil for Google's own.
    public let message: String?

    /// Drive shares one file with no more groups than this.
    static let most = 100
    private static let longestMessage = 2_000
    /// Ownership is none of them: it is never given away.
    private static let roles = [DrivePermission.Role.reader, .commenter, .writer]

    /// Reads `share`; its elements name each grantee once.
    static func list(_ object: PayloadObject) throws(PayloadError) -> [Share] {
        let elements = try object.array("share") ?? []
        guard elements.count <= most else {
            throw PayloadError(at: "share", "expected at most \(most) entries, got \(elements.count)")
        }
        var shares: [Share] = []
        var seen: Set<[String]> = []
        for (index, element) in elements.enumerated() {
            let path = "share[\(index)]"
            let share = try Share(element, at: path)
            guard seen.insert([share.permission.type.rawValue, share.permission.grantee.lowercased()]).inserted else {
                throw PayloadError(at: path, "names the same grantee as an earlier entry")
            }
            shares.append(share)
        }
        return shares
    }

    private init(_ value: JSON, at path: String) throws(PayloadError) {
        let object = try PayloadObject(
            value, at: path, names: ["type", "email", "domain", "role", "notify", "message"])
        let type = try Self.choice("type", in: object, from: DrivePermission.GranteeType.allCases)
        if object["role"] == "owner" {
            throw PayloadError(
                at: object.path(of: "role"), "ownership is never given away; expected reader, commenter or writer")
        }
        let role = try Self.choice("role", in: object, from: Self.roles)
        permission = DrivePermission(type: type, grantee: try Self.grantee(type, object), role: role)
        notifies = try object.boolean("notify") ?? false
        message = try object.string("message")
        if notifies, type == .domain || type == .anyone {
            throw PayloadError(at: object.path(of: "notify"), "Google sends mail to users and groups only")
        }
        guard let message else { return }
        guard notifies else { throw PayloadError(at: object.path(of: "message"), "is sent only with notify: true") }
        guard message.utf16.count <= Self.longestMessage else {
            throw PayloadError(
                at: object.path(of: "message"),
                "expected at most \(Self.longestMessage) characters, got \(message.utf16.count)")
        }
    }

    private static func choice<Choice: RawRepresentable<String>>(
        _ name: String, in object: PayloadObject, from choices: [Choice]
    ) throws(PayloadError) -> Choice {
        let text = try object.required(name)
        guard let choice = choices.first(where: { $0.rawValue == text }) else {
            let known = choices.map(\.rawValue)
            throw PayloadError(
                at: object.path(of: name),
                "expected one of \(known.joined(separator: ", "))" + Suggestion.hint(for: text, among: known))
        }
        return choice
    }

    private static func grantee(_ type: DrivePermission.GranteeType, _ object: PayloadObject) throws(PayloadError)
        -> String
    {
        let name: String? =
            switch type {
            case .user, .group: "email"
            case .domain: "domain"
            case .anyone: nil
            }
        for other in ["email", "domain"] where other != name && object[other] != nil {
            throw PayloadError(at: object.path(of: other), "does not go with the type \(type.rawValue)")
        }
        guard let name else { return "" }
        let text = try object.required(name)
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        let domain = parts.last ?? ""
        let isName =
            text.utf8.count <= 254 && text.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7F }
            && parts.allSatisfy { !$0.isEmpty } && domain.contains(".") && !domain.hasPrefix(".")
            && !domain.hasSuffix(".")
        guard isName, parts.count == (name == "email" ? 2 : 1) else {
            let example = name == "email" ? "an address such as ada@example.com" : "a domain such as example.com"
            throw PayloadError(at: object.path(of: name), "expected \(example)")
        }
        return text
    }
}

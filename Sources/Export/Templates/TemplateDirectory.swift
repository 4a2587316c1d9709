import FoundationEssentials
import JSON
import JobQueue
import SheetModel

/// The formatting templates of an installation: a folder of files, one a template, and the built-in `default`.
///
/// A file is read when a job names it, so that a change needs no restart.
public struct TemplateDirectory: Sendable {
    /// The name of the built-in template, which a file of that name replaces.
    public static let standardName = "default"

    private static let suffix = ".json"
    private static let largestFile = 1 << 20
    private let path: String?

    /// Makes a directory; without a path there is only the built-in template.
    public init(path: String?) { self.path = path }

    /// The template of a name.
    ///
    /// - Throws: `PayloadError` for a name that there is not, `JobFailure` for a file that is wrong: every job that names it
    ///   waits until somebody mends it.
    func template(named name: String, at field: String = "template") throws -> FormattingTemplate {
        let isName = (1...64).contains(name.utf8.count) && name.utf8.allSatisfy(Self.isNameByte)
        guard isName else {
            throw PayloadError(at: field, "expected a template's name of at most 64 letters, digits, - and _")
        }
        if let path {
            let file = "\(path)/\(name)\(Self.suffix)"
            if FileManager.default.fileExists(atPath: file) { return try read(file) }
        }
        if name == Self.standardName { return .standard }
        let known = names
        throw PayloadError(
            at: field,
            "there is no template of this name, only \(known.joined(separator: ", "))"
                + Suggestion.hint(for: name, among: known))
    }

    /// What is wrong with the templates that are there, a sentence each; empty where each can be used.
    public func faults() -> [String] {
        names.compactMap { name in
            do { _ = try template(named: name) } catch { return (error as? JobFailure)?.message ?? "\(error)" }
            return nil
        }
    }

    /// The names that there are.
    private var names: [String] {
        let files = path.flatMap { try? FileManager.default.contentsOfDirectory(atPath: $0) } ?? []
        let names = files.filter { $0.hasSuffix(Self.suffix) }.map { String($0.dropLast(Self.suffix.count)) }
        return Set(names + [Self.standardName]).sorted()
    }

    private func read(_ file: String) throws -> FormattingTemplate {
        guard let data = FileManager.default.contents(atPath: file) else { throw Self.invalid(file, "cannot be read") }
        guard data.count <= Self.largestFile else { throw Self.invalid(file, "is larger than 1 MiB") }
        let json: JSON
        do throws(JSONError) {
            json = try JSON(parsing: Array(data))
        } catch {
            throw Self.invalid(file, "is \(error.description)")
        }
        do throws(SheetModelError) {
            return try FormattingTemplate(json)
        } catch {
            throw Self.invalid(file, error.message)
        }
    }

    private static func invalid(_ file: String, _ problem: String) -> JobFailure {
        JobFailure(
            .templateInvalid, "The formatting template \(file) cannot be used: \(problem).",
            retry: .snooze(.seconds(60)), needsMending: true)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}

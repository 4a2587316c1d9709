import Foundation
import Subprocess
import SystemPackage
import TestSupport
import Testing

@testable import sheetsync

/// The unit's settings are those that systemd gives it.
@Suite struct EnvironmentFileTests {
    @Test func readsWhatSystemdReads() {
        let text = #"""
            # A comment; and = in it
            ; another \
            PLAIN=a b  c   
             INDENTED = spaced
            EMPTY=
            QUOTED="two  words  "  'and three' rest
            SINGLE='back\slash "stays"'
            ESCAPED=one\ two\\three\"four
            DOUBLE="quote \" backslash \\ dollar \$ tick \` other \n"
            GOES_ON=first \
                second
            IN_QUOTES="first \
            second"
            PEM="-----BEGIN CERTIFICATE-----
            abc=
            -----END CERTIFICATE-----"
            HASH=a#b ;c
            export NO=name
            1X=no name
            NO VALUE
            LAST=one
            LAST="two"
            """#
        let found = EnvironmentFile.settings(in: text)
        let expected = [
            "PLAIN": "a b  c", "INDENTED": "spaced", "EMPTY": "", "QUOTED": "two  words  and threerest",
            "SINGLE": #"back\slash "stays""#, "ESCAPED": #"one two\three"four"#,
            "DOUBLE": #"quote " backslash \ dollar $ tick ` other \n"#, "GOES_ON": "first     second",
            "IN_QUOTES": "first second",
            "PEM": "-----BEGIN CERTIFICATE-----\nabc=\n-----END CERTIFICATE-----", "HASH": "a#b ;c", "LAST": "two",
        ]
        for (name, value) in expected { #expect(found[name] == value, "\(name)") }
        #expect(Set(found.keys) == Set(expected.keys), "\(found.keys.sorted())")
        #expect(EnvironmentFile.settings(in: "A=1\r\nB='open")["B"] == "open")
    }

    /// A program of systemd's that reads files by the same parser, without a running systemd.
    private static let parser = "/usr/lib/systemd/user-environment-generators/30-systemd-environment-d-generator"

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: parser), "systemd is not installed"))
    func agreesWithSystemdsOwnParser() async throws {
        var random = SeededGenerator(seed: 17)
        // No dollar, which this program of systemd's replaces and a unit's file does not.
        let pieces = [
            "a", "B", "0", "_", " ", "\t", "\"", "'", "\\", "\n", "\r\n", "#", ";", "=", "\nA=", "\nB =", "\n C=\"",
            "\nD='",
            "\\\n", "é", "-----BEGIN X-----\n", "`",
        ]
        let names = ["A", "B", "C", "D", "E"]
        for round in 1...200 {
            let directory = try TemporaryDirectory()
            defer { directory.remove() }
            try FileManager.default.createDirectory(
                atPath: directory.path + "/environment.d", withIntermediateDirectories: false)
            var text = "E="
            for _ in 0..<Int.random(in: 1...40, using: &random) { text += pieces.randomElement(using: &random) ?? "" }
            // Behind a comment that ends with a backslash versions differ.
            let isComment = text.split(separator: "\n").contains {
                $0.drop { $0 == " " || $0 == "\t" }.first.map { "#;".contains($0) } == true && $0.contains("\\")
            }
            if isComment { continue }
            _ = try directory.write(text, to: "environment.d/1.conf")
            let result = try await Subprocess.run(
                .path("/usr/bin/env"),
                arguments: ["-i", "HOME=/nonexistent", "XDG_CONFIG_HOME=\(directory.path)", "\(Self.parser)"],
                output: .string(limit: 1 << 20), error: .string(limit: 10_000))
            var theirs: [String: String] = [:]
            for line in result.standardOutput.split(separator: "\n") {
                guard let equals = line.firstIndex(of: "="), names.contains(String(line[..<equals])) else { continue }
                theirs[String(line[..<equals])] = Self.unquoted(line[line.index(after: equals)...])
            }
            #expect(result.terminationStatus.isSuccess, "\(result.standardError)")
            // This program of systemd's leaves empty values out.
            let given = EnvironmentFile.assignments(in: text).filter { names.contains($0.name) && !$0.value.isEmpty }
            let ours = Dictionary(given.map { ($0.name, $0.value) }) { $1 }
            #expect(ours == theirs, "round \(round): \(text.debugDescription); it said \(result.standardError)")
        }
    }

    /// A value as that program writes it: in double quotes and with backslashes where it has to be; an empty one is left out.
    private static func unquoted(_ text: Substring) -> String {
        guard text.hasPrefix("\"") else { return String(text) }
        var result = ""
        var rest = text.dropFirst().dropLast()
        while let character = rest.popFirst() {
            guard character == "\\", let next = rest.popFirst() else {
                result.append(character)
                continue
            }
            result += ["n": "\n", "t": "\t", "r": "\r"][next] ?? String(next)
        }
        return result
    }
}

import JSON
import JobQueue
import Output
import TestSupport
import Testing

@testable import sheetsync

/// What others wrote reaches the operator's terminal as text and nothing else.
@Suite(.serialized) struct TerminalTests {
    /// Clears the screen, sets the clipboard (OSC 52), does so by C1, turns the line round, and is not seen at all.
    private static let attacks = [
        "\u{1B}[2J", "\u{1B}]52;c;cm0gLXJmIC8=\u{7}", "\u{9B}2J", "\u{9D}52;c;eA==\u{9C}", "\u{202E}txt.exe",
        "\u{2066}x\u{2069}",
        "\u{7F}", "\u{85}", "\u{2028}", "\u{200B}", "\u{FEFF}", "\u{E0041}", "\r", "\n", "a\u{8}b",
    ]

    @Test func nothingInATextIsObeyed() throws {
        for attack in Self.attacks {
            let shown = "before \(attack) after".visible
            #expect(shown.hasPrefix("before ") && shown.hasSuffix(" after"))
            let isPlain = shown.unicodeScalars.allSatisfy { scalar in
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator: false
                default: true
                }
            }
            #expect(isPlain && shown.contains("\\"), "\(shown.debugDescription)")
            // JSON says the same as before.
            let json: JSON = ["a": .string("before \(attack) after")]
            #expect(try JSON(parsing: json.description.visible) == json)
        }
        for text in ["", "plain", "Zoë 漢字 ü", "👩‍👩‍👧", "नमस्ते", "→ … “x”"] { #expect(text.visible == text) }
    }

    @Test func aTableHasALineARowWhateverStandsInIt() {
        var table = Table("A", "B")
        for attack in Self.attacks { table.add(attack, "b") }
        for line in table.lines(width: 40) {
            let isPlain = line.unicodeScalars.allSatisfy { scalar in
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator: false
                default: true
                }
            }
            #expect(isPlain && line.count <= 40, "\(line.debugDescription)")
        }
    }

    @Test func commandsShowWhatAProducerWrote() async throws {
        try await Stage.with { stage in
            try await stage.daemon.withDaemon { daemon in
                try await daemon.expectToSay("worker is ready")
                var payload = try #require(export("Shown").object)
                payload["\u{202E}gnp.exe"] = 1
                let job = try await stage.ended(try await stage.enqueue("export", .object(payload)))
                #expect(job.lastError?.message.contains("\u{202E}") == true, "\(job.json)")
                let operators = stage.program(.operator)
                for arguments in [
                    ["jobs", "list"], ["jobs", "show", "\(job.id)"], ["why", "\(job.id)"], ["status"],
                    ["jobs", "list", "--json"], ["jobs", "show", "\(job.id)", "--json"],
                    ["why", "\(job.id)", "--json"],
                ] {
                    let ended = try await operators.run(arguments)
                    let said = ended.output + ended.errors
                    #expect(!said.contains("\u{202E}"), "\(arguments): \(said)")
                    guard arguments != ["status"] else { continue }
                    #expect(said.contains("\\u202egnp.exe"), "\(arguments): \(said)")
                    if arguments.last == "--json" {
                        #expect(try JSON(parsing: ended.output).description.contains("\u{202E}"), "\(said)")
                    }
                }
            }
        }
    }
}

import ArgumentParser
import JSON
import JobQueue
import Output
import SheetModel
import SystemPackage

struct EnqueueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enqueue", abstract: "Enqueue a job, as an API server does by SQL.",
        discussion: """
            Prints the job's number. With --wait it shows progress, prints the spreadsheet's or folder's address and ends with 1 \
            unless the job is completed; a job that has not begun after ten seconds is explained on standard error.
            """)

    @Argument(help: "The kind of job: export, folder, format, noop.")
    var kind = "export"

    @Option(help: ArgumentHelp("A file with the payload as JSON; - for standard input.", valueName: "file"))
    var payload: String?

    @Option(help: ArgumentHelp("A CSV file to export, its first line the header.", valueName: "file"))
    var csv: String?

    @Option(
        help: ArgumentHelp(
            "What stands between the fields of --csv: comma, semicolon, tab or a character; else told by the header.",
            valueName: "delimiter"))
    var delimiter: String?

    @Option(
        name: .customLong("type"),
        help: ArgumentHelp(
            "The type of a column of --csv, in place of the one that its fields fit; may be repeated.",
            valueName: "column=type"))
    var types: [String] = []

    @Option(help: "The spreadsheet's title, for --csv.")
    var title: String?

    @Option(help: "The folder's path, for --csv.")
    var folder: String?

    @Option(help: "From 0 (first) to 9 (last).")
    var priority = 5

    @Option(help: "A label for fairness and reports.")
    var owner = ""

    @Option(help: "With the same key and payload, the first job's number is printed and no second job made.")
    var idempotencyKey: String?

    /// After which time a job that has not begun is explained.
    private static let patience = Duration.seconds(10)

    @Flag(help: "Wait for the job to end.")
    var wait = false

    @Flag(help: "Print JSON: the job's number, or with --wait the ended job.")
    var json = false

    func validate() throws {
        guard (payload == nil) != (csv == nil) || (payload == nil && csv == nil && kind == "noop") else {
            throw ValidationError("Give either --payload FILE or --csv FILE.")
        }
        if csv != nil {
            guard kind == "export" else { throw ValidationError("--csv goes with the kind export only.") }
            guard title != nil else { throw ValidationError("--csv needs --title.") }
            _ = try (delimiterByte(), columnTypes())
        } else if title != nil || folder != nil {
            throw ValidationError("--title and --folder go with --csv; a payload has its own.")
        } else if delimiter != nil || !types.isEmpty {
            throw ValidationError("--delimiter and --type go with --csv.")
        }
    }

    private func delimiterByte() throws -> UInt8? {
        switch delimiter {
        case nil: return nil
        case "comma": return UInt8(ascii: ",")
        case "semicolon": return UInt8(ascii: ";")
        case "tab", "\\t": return 0x09
        case let other?:
            guard other.utf8.count == 1, let byte = other.utf8.first, byte < 0x80, !"\"\r\n\0".utf8.contains(byte)
            else {
                throw ValidationError("--delimiter takes comma, semicolon, tab or one character.")
            }
            return byte
        }
    }

    private func columnTypes() throws -> [String: ColumnType] {
        var all: [String: ColumnType] = [:]
        for text in types {
            // A column's name may have an equals sign, a type has none.
            guard let equals = text.lastIndex(of: "="),
                let type = ColumnType(rawValue: String(text[text.index(after: equals)...]))
            else {
                throw ValidationError(
                    "--type takes COLUMN=TYPE, where TYPE is one of "
                        + "\(ColumnType.allCases.map(\.rawValue).joined(separator: ", ")).")
            }
            all[String(text[..<equals])] = type
        }
        return all
    }

    func run() async throws {
        try await ending {
            let payload = try readPayload()
            let access = try await DatabaseAccess()
            let id = try await access.jobs.enqueue(
                kind: kind, payload: payload, idempotencyKey: idempotencyKey, priority: priority, owner: owner)
            guard wait else {
                Console.print(json ? (["schema": 1, "id": JSON(id)] as JSON).description : "\(id)")
                return
            }
            Console.error("job \(id)")
            let job = try await waitForEnd(of: id, access)
            if json {
                Console.print((["schema": 1, "job": job.json] as JSON).description)
            } else if let result = job.result {
                Console.print(
                    result["spreadsheet_url"]?.string ?? result["folder_url"]?.string ?? result.description)
            }
            guard job.state == "completed" else {
                let why = job.lastError.map { ": \($0.code): \($0.message)" } ?? ""
                throw CommandFailure(status: .degraded, message: "job \(id) is \(job.state)\(why)")
            }
        }
    }

    private func readPayload() throws -> JSON {
        if let csv {
            do {
                let table = try CSVReader.table(from: try read(csv), delimiter: try delimiterByte())
                var members = try table.payload(types: try columnTypes())
                members["title"] = JSON(title)
                if let folder { members["folder"] = .string(folder) }
                return .object(members)
            } catch let error as SheetModelError {
                throw CommandFailure(status: .degraded, message: "\(Self.name(of: csv)): \(error)")
            }
        }
        guard let payload else { return [:] }
        do {
            let json = try JSON(parsing: try read(payload))
            if let place = Self.placeOfNUL(in: json, at: "") {
                throw CommandFailure(
                    status: .degraded,
                    message:
                        "\(Self.name(of: payload)): \(place.isEmpty ? "the payload" : place) has a NUL (\\u0000), which "
                        + "neither the queue nor a cell can hold; take it out")
            }
            return json
        } catch let error as JSONError {
            throw CommandFailure(status: .degraded, message: "\(Self.name(of: payload)): \(error)")
        }
    }

    /// Where a string or a member's name has a NUL, which Postgres refuses without saying where.
    private static func placeOfNUL(in json: JSON, at place: String) -> String? {
        switch json {
        case .null, .bool, .number: return nil
        case .string(let text): return text.utf8.contains(0) ? place : nil
        case .array, .text:
            for (index, element) in (json.array ?? []).enumerated() {
                if let found = placeOfNUL(in: element, at: "\(place)[\(index)]") { return found }
            }
        case .object(let members):
            for member in members {
                let inside = "\(place)\(place.isEmpty ? "" : ".")\(member.name.visible)"
                if member.name.utf8.contains(0) { return inside }
                if let found = placeOfNUL(in: member.value, at: inside) { return found }
            }
        }
        return nil
    }

    private func read(_ path: String) throws -> [UInt8] {
        do {
            if path == "-" { return try Self.readToEnd(.standardInput) }
            let file = try FileDescriptor.open(FilePath(path), .readOnly)
            return try file.closeAfter { try Self.readToEnd(file) }
        } catch {
            throw CommandFailure(status: .degraded, message: "\(Self.name(of: path)) cannot be read: \(error)")
        }
    }

    private static func name(of path: String) -> String { path == "-" ? "standard input" : path }

    /// Reads to the end, whatever it is: a file, a pipe or a socket.
    private static func readToEnd(_ file: FileDescriptor) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe try piece.withUnsafeMutableBytes {
                unsafe try file.read(into: $0)
            }
            if count == 0 { return bytes }
            bytes += piece[..<count]
        }
    }

    private func waitForEnd(of id: Int, _ access: DatabaseAccess) async throws -> JobRecord {
        defer { Console.endProgress() }
        let begin = ContinuousClock.now
        var isExplained = false
        while true {
            guard let job = try await access.jobs.find(id) else {
                throw CommandFailure(status: .degraded, message: "job \(id) is gone")
            }
            if job.isFinal { return job }
            if !isExplained, ContinuousClock.now - begin > Self.patience, job.state != "running",
                job.json["attempt"] == 0
            {
                isExplained = true
                await explain(id, access)
            }
            Console.progress(Self.progressLine(job))
            try await Task.sleep(for: .milliseconds(150))
        }
    }

    /// Says what the job waits for; where that cannot be told, the waiting goes on all the same.
    private func explain(_ id: Int, _ access: DatabaseAccess) async {
        guard let limit = try? await SettingsReader().silenceLimit(),
            let explanation = try? await access.explanation(of: id, silenceLimit: limit)
        else { return }
        Console.endProgress()
        Console.error(explanation.headline)
    }

    private static func progressLine(_ job: JobRecord) -> String {
        var line = "job \(job.id) is \(job.state)"
        if job.state == "running", let progress = job.progress {
            line += ", \(progress.step)"
            if let done = progress.rowsDone, let total = progress.rowsTotal { line += " \(done) of \(total) rows" }
        }
        if job.state == "retryable", let error = job.lastError { line += " after \(error.code)" }
        return line
    }
}

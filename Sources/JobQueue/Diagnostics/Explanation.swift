public import JSON

/// Why a job is where it is, in sentences, and what to do about it.
///
/// A value that decides from what the database told; the first cause is the one to mend first.
public struct Explanation: Sendable {
    /// One reason, with a stable name for programs.
    public struct Cause: Sendable, Equatable {
        /// A name such as `no_worker`, `paused`, `target`, `login_limit`, `turn` or `discarded`.
        public let name: String
        /// What it is and what to do.
        public let words: String

        /// Makes a cause.
        public init(_ name: String, _ words: String) {
            self.name = name
            self.words = words
        }
    }

    /// The reasons, the most important first; never empty.
    public let causes: [Cause]
    /// What else is worth knowing.
    public let details: [String]
    private let job: JobRecord

    /// Explains a job.
    ///
    /// - Parameters:
    ///   - database: The database, where somebody has looked.
    ///   - stallCause: Why nothing moves, where somebody has looked.
    ///   - external: What keeps jobs of this kind waiting outside of the queue.
    ///   - silenceLimit: The seconds after which a worker without a sign of life counts as dead.
    public init(
        _ job: JobRecord, in waitState: WaitState, database: DatabaseReport? = nil,
        stallCause: StallCause? = nil, external: ExternalCauses = ExternalCauses(), silenceLimit: Double
    ) {
        self.job = job
        let alive = waitState.workers(silenceLimit: silenceLimit)
        // Where nobody is alive, whatever hinders is said with that.
        let hindrance = alive.isEmpty ? nil : stallCause?.hindrance
        let obstacle = database?.obstacle ?? stallCause?.obstacle ?? hindrance
        let slowness = database?.oldestSnapshot.flatMap { $0.isLong ? $0.words : nil }
        switch job.state {
        case "running":
            let running = Self.running(job, waitState, silenceLimit, alive.isEmpty ? stallCause : nil)
            causes = (obstacle.map { [Cause("database", "cannot end: \($0)")] } ?? []) + [running]
        case "completed", "discarded", "cancelled": causes = [Self.ended(job, waitState)]
        default:
            var causes = Self.waiting(job, waitState, external, silenceLimit, stallCause)
            // What only waits for its turn waits longer where the claims are slow; the other waits are as long as ever.
            if let slowness, causes[0].name == "turn" {
                causes.insert(Cause("snapshot", "waits longer than it should: \(slowness)"), at: 0)
            }
            if let obstacle { causes.insert(Cause("database", "cannot begin: \(obstacle)"), at: 0) }
            self.causes = causes
        }
        var details: [String] = []
        if let sync = job.json["sync"]?.string {
            details.append("it is a run of the sync \(sync), which `sheetsync sync show` tells about")
        }
        if !job.isFinal, let slowness, !causes.contains(where: { $0.name == "snapshot" }) { details.append(slowness) }
        // What does not keep this job from beginning or ending.
        if !job.isFinal, job.state != "running",
            let worker = alive.first(where: { $0["problem"]?.string != nil && Self.hindrance(of: $0) == nil })
        {
            details.append(
                "the worker \(worker["name"]?.string ?? "") \(worker["problem"]?.string ?? "")")
        }
        if !job.isFinal, let error = job.lastError {
            details.append("the last failed attempt: \(error.code): \(error.message)")
        }
        if job.isFinal, job.state != "completed" {
            details.append(Self.leftovers(job, isUnreconciled: waitState.isUnreconciled))
            if let by = waitState.text("cancelled_by") { details.append("cancelled by \(by)") }
        }
        self.details = details
    }

    /// The first line: which job, and the first cause.
    public var headline: String { "job \(job.id) (\(job.kind), \(job.state)) \(causes[0].words)" }

    /// All of it, for programs.
    public var json: JSON {
        [
            "schema": 1, "id": JSON(job.id), "kind": .string(job.kind), "state": .string(job.state),
            "cause": .string(causes[0].name), "reason": .string(causes[0].words),
            "causes": .array(causes.map { ["name": .string($0.name), "words": .string($0.words)] }),
            "details": .array(details.map(JSON.string)),
        ]
    }
}

// MARK: - Waiting

extension Explanation {
    private static func waiting(
        _ job: JobRecord, _ waitState: WaitState, _ external: ExternalCauses, _ silenceLimit: Double,
        _ stallCause: StallCause?
    ) -> [Cause] {
        var causes: [Cause] = []
        let alive = waitState.workers(silenceLimit: silenceLimit)
        let able = alive.filter { $0["kinds"]?.array?.contains(.string(job.kind)) != false }
        if alive.isEmpty {
            let words = stallCause?.words ?? "start `sheetsync run`"
            causes.append(Cause("no_worker", "waits for a worker, and none is alive: \(words)"))
        } else if let worker = able.first, able.allSatisfy({ hindrance(of: $0) != nil }) {
            causes.append(
                Cause(
                    "worker_hindered",
                    "waits for a worker, and \(worker["name"]?.string ?? "the one") that could do it "
                        + (hindrance(of: worker) ?? "")))
        } else if able.isEmpty {
            causes.append(
                Cause(
                    "unknown_kind",
                    "waits for a worker that can do jobs of kind \(job.kind), and none that is alive can: "
                        + "start a newer `sheetsync run`"))
        }
        if let pause = waitState.pause {
            causes.append(Cause("paused", "waits because \(pause.words): \(pause.advice)"))
        }
        let rest = rest(job, waitState)
        // A future run_at is intended: report it first. A back-off is a symptom: report it after failing services.
        if let rest, rest.name == "scheduled" { causes.insert(rest, at: 0) }
        if let target = target(waitState) { causes.append(target) }
        func add(_ cause: Cause) { causes.append(Cause(cause.name, "waits because \(cause.words)")) }
        for failure in external.failures { add(failure) }
        if let (login, slots) = waitState.ceiling {
            add(Cause("login_limit", SlotShare.ceiling(login, slots: slots)))
        }
        if let rest, rest.name != "scheduled" { causes.append(rest) }
        for limit in external.limits { add(limit) }
        if causes.isEmpty { causes.append(turn(waitState, alive)) }
        return causes
    }

    /// What keeps a worker from beginning and ending jobs, in its own words; nil where nothing does.
    private static func hindrance(of worker: JSON) -> String? {
        worker["problem"]?.string.flatMap { WorkerProblems.Operation.of($0)?.isEssential == true ? $0 : nil }
    }

    private static func rest(_ job: JobRecord, _ waitState: WaitState) -> Cause? {
        guard let due = waitState.dueIn, due > 0, let time = waitState.text("due_at") else { return nil }
        if let reason = waitState.waitsFor {
            return Cause(
                "deferred",
                "was given back without losing an attempt and is tried again in \(approximate(seconds: due)): \(reason.code): "
                    + reason.message)
        }
        if let error = job.lastError, (job.json["attempt"]?.int ?? 0) > 0 {
            return Cause(
                "backing_off",
                "rests until \(time) (\(approximate(seconds: due))) after \(attempts(job)) failed with \(error.code): \(error.message)"
            )
        }
        return Cause("scheduled", "waits for its time, \(time), in \(approximate(seconds: due))")
    }

    private static func target(_ waitState: WaitState) -> Cause? {
        let target = waitState.text("target") ?? ""
        if let lock = waitState.json["lock"], let id = lock["id"]?.int {
            let what =
                lock["runs"]?.bool == true ? "which runs" : "which waits for its next attempt (`sheetsync why \(id)`)"
            return Cause("target", "waits for job \(id), \(what) and writes to the same \(target)")
        }
        guard let earlier = waitState.json["earlier"]?.int else { return nil }
        return Cause(
            "target", "waits for job \(earlier), which comes first for the same \(target) (`sheetsync why \(earlier)`)")
    }

    private static func turn(_ waitState: WaitState, _ alive: [JSON]) -> Cause {
        let holders = waitState.holders
        // What the workers said with their last sign of life may be older.
        let busy = max(
            alive.reduce(0) { $0 + ($1["in_flight"]?.int ?? 0) }, holders.reduce(0) { $0 + $1.running })
        let slots = alive.reduce(0) { $0 + ($1["concurrency"]?.int ?? 0) }
        let ahead = waitState.json["ahead"]?.int ?? 0
        if waitState.json["is_isolated"]?.bool == true {
            return Cause(
                "isolated",
                "waits for a worker that runs nothing else, because two were lost while they ran it: it will run alone")
        }
        let bytes = waitState.json["payload_bytes"]?.int ?? 0
        let needed = MemoryBudget.room(forPayload: bytes)
        if busy > 0, alive.allSatisfy({ worker in worker["room"]?.int.map { $0 < needed } ?? false }) {
            return Cause(
                "memory",
                "waits for memory: its payload has \(bytes) bytes, and no worker has room for "
                    + "it beside the jobs that run (SHEETSYNC_MEMORY_MB)")
        }
        guard ahead > 0 || busy >= slots else {
            if let alone = waitState.json["alone"]?.int {
                return Cause(
                    "turn",
                    "waits for job \(alone), beside which its worker begins nothing, because two were lost while they ran it"
                )
            }
            return Cause("turn", "is next: a worker claims it at its next look")
        }
        let jobs = ahead > QueueReport.countLimit ? "more than \(QueueReport.countLimit)" : "about \(ahead)"
        let taken =
            busy >= slots && !holders.isEmpty
            ? SlotShare.words(holders, slots: slots) : "\(busy) of \(slots) slots are busy"
        return Cause(
            "turn",
            "waits for its turn: \(jobs) job\(ahead == 1 ? "" : "s") of its login before it, \(taken)")
    }
}

// MARK: - Running and ended

extension Explanation {
    private static func running(
        _ job: JobRecord, _ waitState: WaitState, _ silenceLimit: Double, _ stallCause: StallCause?
    ) -> Cause {
        let running = waitState.json["running"]
        let time = approximate(seconds: running?["for"]?.double ?? 0)
        if let by = waitState.text("cancelled_by") {
            return Cause("cancelling", "runs for \(time) and is asked to stop by \(by)")
        }
        guard let worker = running?["worker"]?.string, let silence = running?["silence"]?.double,
            silence <= silenceLimit
        else {
            return Cause(
                "worker_lost",
                "was begun by a worker that shows no sign of life; another one takes it over as soon as one is alive"
                    + (stallCause.map { ", and none is: \($0.words)" } ?? ""))
        }
        let progress = "for \(time), \(attempts(job))" + (job.progress.map { ": \($0.words)" } ?? "")
        if let problem = running?["problem"]?.string {
            return WorkerProblems.Operation.of(problem) == .finish
                ? Cause(
                    "worker_hindered",
                    "has ended or runs on \(worker), which \(problem); it is written as soon as that is mended, \(progress)"
                )
                : Cause("worker_hindered", "runs on \(worker), which \(problem), \(progress)")
        }
        // Five signs of life fit into the lease, four of them into the limit; so two or more are missing.
        if silence > silenceLimit * 0.6 {
            return Cause(
                "worker_silent",
                "runs on \(worker), which has shown no sign of life for \(approximate(seconds: silence)) and is taken for dead "
                    + "after \(approximate(seconds: silenceLimit)), \(progress)")
        }
        return Cause("running", "runs on \(worker) \(progress)")
    }

    private static func ended(_ job: JobRecord, _ waitState: WaitState) -> Cause {
        let time = waitState.text("ended_at") ?? ""
        let isLookedFor = waitState.isUnreconciled && job.link == nil
        let doubt = isLookedFor ? "; what it has made is being looked up" : ""
        switch job.state {
        case "completed":
            return Cause(
                "completed",
                "was done at \(time), \(approximate(seconds: waitState.json["took"]?.double ?? 0)) after it could run, in \(attempts(job))"
                    + (job.link.map { ": \($0)" } ?? ""))
        case "discarded":
            let error = job.lastError.map { "\($0.code): \($0.message)" } ?? "no reason was given"
            return Cause(
                "discarded",
                "was given up at \(time) after \(attempts(job)), for \(error) (when that is mended: "
                    + "`sheetsync jobs retry \(job.id)`)\(doubt)")
        default:
            return Cause(
                "cancelled", "was cancelled at \(time); `sheetsync jobs retry \(job.id)` revives it\(doubt)")
        }
    }

    /// What a job leaves behind that did not come to its end, and in which state.
    private static func leftovers(_ job: JobRecord, isUnreconciled: Bool) -> String {
        guard let result = job.result else { return "it is not known to have made anything" }
        let words = (result["warnings"]?.array ?? []).compactMap(\.string).joined(separator: " ")
        guard let link = job.link else {
            let title = isUnreconciled ? "what it may have made" : "what is known"
            return "\(title): \(words.isEmpty ? result.description : words)"
        }
        return "what it has made: \(link)\(words.isEmpty ? "" : " (\(words))")"
    }

    private static func attempts(_ job: JobRecord) -> String {
        "attempt \(job.json["attempt"]?.int ?? 0) of \(job.json["max_attempts"]?.int ?? 0)"
    }
}

extension Progress {
    /// The step and the rows, such as `writing, 1000 of 5000 rows`.
    public var words: String {
        guard let rowsDone else { return step }
        return "\(step), \(rowsDone)\(rowsTotal.map { " of \($0)" } ?? "") rows"
    }
}

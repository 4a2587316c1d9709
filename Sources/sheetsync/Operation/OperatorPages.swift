import FoundationEssentials
import JSON
import JobQueue

/// The pages for operators and their monitors: `/livez`, `/readyz`, `/health` and `/metrics`.
struct OperatorPages: Sendable {
    let worker: WorkerWatch
    let supervision: Supervision
    let probe: QueueProbe
    /// What Google was called for; nil where ENABLE_TELEMETRY switches metrics off.
    let calls: APICallTally?
    let silenceLimit: Duration
    let startedAt = Date.now

    /// The answer to GET of a path.
    func page(_ path: String) async -> HTTPAnswer {
        switch path {
        case "/livez": return answer(obstacle: supervision.hang)
        case "/readyz":
            return answer(obstacle: supervision.hang ?? worker.current.obstacle(silenceLimit: silenceLimit))
        case "/health":
            let report = HealthReport(
                await probe.finding(), worker: worker.current, hang: supervision.hang,
                statistics: ProcessStatistics(startedAt: startedAt), silenceLimit: silenceLimit)
            return HTTPAnswer(
                status: report.status == .unhealthy ? 503 : 200, type: "application/json",
                body: report.json.description + "\n")
        case "/metrics":
            guard let calls else { break }
            let metrics = DaemonMetrics(
                finding: await probe.finding(), worker: worker.current, calls: calls.current,
                statistics: ProcessStatistics(startedAt: startedAt), silenceLimit: silenceLimit)
            return HTTPAnswer(status: 200, type: "text/plain; version=0.0.4; charset=utf-8", body: metrics.text)
        default: break
        }
        return HTTPAnswer(
            status: 404, body: "There are /livez, /readyz, /health\(calls == nil ? "" : " and /metrics").\n")
    }

    private func answer(obstacle: String?) -> HTTPAnswer {
        obstacle.map { HTTPAnswer(status: 503, body: "\($0)\n") } ?? HTTPAnswer(status: 200, body: "ok\n")
    }
}

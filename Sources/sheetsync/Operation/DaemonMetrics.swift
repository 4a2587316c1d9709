import FoundationEssentials
import JobQueue

/// What `/metrics` shows, gathered at the moment of asking.
struct DaemonMetrics {
    let finding: QueueProbe.Finding
    let worker: WorkerWatch.State
    let calls: APICallTally.State
    let statistics: ProcessStatistics
    let silenceLimit: Duration

    var text: String {
        var page = MetricsPage()
        page.add("sheetsync_info", .gauge, "The program's version.", [("", [("version", SheetSync.version)], 1)])
        addQueue(to: &page)
        addWorker(to: &page)
        addCalls(to: &page)
        addProcess(to: &page)
        return page.text
    }

    private func addQueue(to page: inout MetricsPage) {
        let found = try? finding.outcome.get()
        page.add("sheetsync_database_up", .gauge, "Whether the queue's database answers.", found == nil ? 0 : 1)
        guard let report = found?.report else { return }
        page.add(
            "sheetsync_database_query_duration_seconds", .gauge, "How long the queue's report took.",
            finding.queryTime / .seconds(1))
        let states = [
            ("available", report.available), ("scheduled", report.scheduled), ("retryable", report.retryable),
            ("running", report.running),
        ]
        page.add(
            "sheetsync_jobs", .gauge, "Jobs that have not ended; counted up to \(QueueReport.countLimit + 1).",
            states.map { ("", [("state", $0.0)], Double($0.1)) })
        page.add(
            "sheetsync_oldest_claimable_job_age_seconds", .gauge,
            "How long the oldest job that could run has waited; 0 where none waits.",
            max(report.oldestAvailable ?? 0, 0))
        page.add(
            "sheetsync_sync_age_seconds", .gauge,
            "Since a sync's last success, or since it was made; of the first thousand syncs, those in trouble first.",
            report.syncs.map { ("", [("sync", $0.name)], $0.age) })
        page.add(
            "sheetsync_sync_rows_total", .counter, "Rows of a sync's completed runs by what was done with them.",
            report.syncs.flatMap { sync in
                (sync.rows?.counts ?? []).map { ("", [("sync", sync.name), ("change", $0.change)], Double($0.rows)) }
            })
        let limit = silenceLimit / .seconds(1)
        page.add(
            "sheetsync_workers", .gauge, "Workers that show a sign of life, this one included.",
            report.workers.count { $0.silence <= limit })
    }

    private func addWorker(to page: inout MetricsPage) {
        page.add(
            "sheetsync_worker_ready", .gauge, "Whether this process claims jobs.",
            worker.obstacle(silenceLimit: silenceLimit) == nil ? 1 : 0)
        page.add("sheetsync_worker_jobs_running", .gauge, "Jobs that this process runs.", worker.inFlight)
        page.add(
            "sheetsync_jobs_finished_total", .counter,
            "Attempts of this process by the job's kind and the state that they left it in.",
            worker.endings.sorted { ($0.key.kind, $0.key.state) < ($1.key.kind, $1.key.state) }.map {
                ("", [("kind", $0.key.kind), ("state", $0.key.state)], Double($0.value))
            })
    }

    private func addCalls(to page: inout MetricsPage) {
        page.add(
            "sheetsync_api_calls_total", .counter, "Calls to Google; status none: no answer came.",
            calls.calls.sorted {
                ($0.key.service, $0.key.method, $0.key.status) < ($1.key.service, $1.key.method, $1.key.status)
            }.map {
                let kind = $0.key
                return (
                    "", [("service", kind.service), ("method", kind.method), ("status", kind.status)], Double($0.value)
                )
            })
        var samples: [(suffix: String, labels: [(String, String)], value: Double)] = []
        for (service, times) in calls.times.sorted(by: { $0.key < $1.key }) {
            var count = 0
            for (bound, more) in zip(APICallTally.bounds.map(MetricsPage.number) + ["+Inf"], times.counts) {
                count += more
                samples.append(("_bucket", [("service", service), ("le", bound)], Double(count)))
            }
            samples.append(("_sum", [("service", service)], times.sum))
            samples.append(("_count", [("service", service)], Double(count)))
        }
        page.add(
            "sheetsync_api_call_duration_seconds", .histogram, "From sending a call to its whole answer.", samples)
    }

    private func addProcess(to page: inout MetricsPage) {
        page.add(
            "process_cpu_seconds_total", .counter, "Processor time, user and system.", statistics.processorSeconds)
        page.add("process_resident_memory_bytes", .gauge, "Resident memory.", statistics.residentBytes)
        page.add("process_virtual_memory_bytes", .gauge, "Virtual memory.", statistics.virtualBytes)
        page.add("process_open_fds", .gauge, "Open file descriptors.", statistics.openFiles)
        page.add("process_max_fds", .gauge, "Most open file descriptors.", statistics.mostOpenFiles)
        page.add(
            "process_start_time_seconds", .gauge, "When the process started, since 1970 in UTC.",
            statistics.startedAt.timeIntervalSince1970)
    }
}

import DatabaseCore
import EventStore
import Platform
import Projectors
import Shared

/// What the api counts while it works. The parts are handed to whoever does the work; ``text(_:)`` reads them all.
final class Metrics: Sendable {
    /// When the process began, by the wall clock.
    let startedAtMs: Int64
    let requests = RequestMeters()
    /// Commands in one transaction.
    let batchWorks = Histogram(.batchWorks)
    let commitSeconds = Histogram(.commitSeconds)
    let failedCommits = Counter()
    /// By event type; families are summed up when they are read.
    let events = LabelledCounter<String>()
    /// Pages that followers had to read from the log.
    let followerLogReads = Counter()
    let followersDropped = Counter()

    init(startedAtMs: Int64) { self.startedAtMs = startedAtMs }

    func written(_ batch: WriteBatch) {
        guard batch.failure == nil else { return failedCommits.add() }
        batchWorks.observe(Double(batch.works))
        commitSeconds.observe(Double(batch.nanoseconds) / 1e9)
    }

    func recorded(_ events: [Recorded<DomainEvent>]) {
        for event in events { self.events.add(event.envelope.eventType) }
    }

    /// What is asked when the metrics are read, because somebody else keeps it.
    struct Sources: Sendable {
        var environment: APIEnvironment
        var hub: EventHub
        var claims: ClaimQueue
        var queuedWorks: @Sendable () -> Int
        var isDraining: @Sendable () -> Bool
    }

    /// - Throws: What keeps the tables from being read.
    func text(_ sources: Sources) throws -> String {
        var text = MetricsText()
        text.family("aos_build_info", .gauge, "Which build runs; always 1.") {
            $0.sample([("version", ReleaseVersion.text)], 1)
        }
        addRequests(to: &text)
        addStorage(sources, to: &text)
        try addTables(sources.environment, to: &text)
        addLive(sources, to: &text)
        addProcess(to: &text)
        return text.text
    }

    private func addRequests(to text: inout MetricsText) {
        let meters = requests.all
        func labels(_ meter: RequestMeter) -> MetricsText.Labels { [("method", meter.method), ("route", meter.route)] }
        text.family("aos_http_requests_total", .counter, "Requests that were answered.") { samples in
            for meter in meters {
                for (status, count) in meter.statuses.counts {
                    samples.sample(labels(meter) + [("status", "\(status)")], count)
                }
            }
        }
        text.family(
            "aos_http_request_duration_seconds", .histogram,
            "From a request's last byte to its answer; long polls wait on purpose."
        ) { samples in
            for meter in meters { samples.histogram(labels(meter), meter.seconds) }
        }
    }

    private func addStorage(_ sources: Sources, to text: inout MetricsText) {
        text.family("aos_commit_duration_seconds", .histogram, "Transactions of the writer, fsync included.") {
            $0.histogram([], commitSeconds)
        }
        text.family("aos_commit_batch_commands", .histogram, "Commands that shared a transaction.") {
            $0.histogram([], batchWorks)
        }
        text.add("aos_commit_failures_total", .counter, "Transactions that were rolled back.", failedCommits.count)
        text.add("aos_writer_queue_commands", .gauge, "Commands that wait for the writer.", sources.queuedWorks())
        text.family("aos_events_appended_total", .counter, "Events recorded by this process.") { samples in
            for (family, count) in eventFamilies { samples.sample([("family", family)], count) }
        }
    }

    /// The part of the types before the first dot, in order.
    private var eventFamilies: [(String, Int)] {
        var families: [String: Int] = [:]
        for (type, count) in events.counts {
            families[type.split(separator: ".").first.map(String.init) ?? type, default: 0] += count
        }
        return families.sorted { $0.key < $1.key }
    }

    private func addTables(_ environment: APIEnvironment, to text: inout MetricsText) throws {
        try environment.database.read { transaction in
            let runs = try RunTable.counts(transaction)
            text.family("aos_runs", .gauge, "Runs by status.") { samples in
                for status in RunStatus.allCases { samples.sample([("status", status.rawValue)], runs[status] ?? 0) }
            }
            let approvals = try ApprovalTable.openCounts(transaction)
            text.family("aos_approvals_waiting", .gauge, "Approvals that wait for a decision.") { samples in
                for status in [ApprovalStatus.held, .pending] {
                    samples.sample([("status", status.rawValue)], approvals[status] ?? 0)
                }
            }
            text.add("aos_leases", .gauge, "Runs that an engine holds.", try LeaseTable.count(transaction))
            let killSwitch = try KillSwitchTable.state(transaction)
            text.add(
                "aos_kill_switch_active", .gauge, "1 while external writes are held.", killSwitch.isEngaged ? 1 : 0)
            text.add(
                "aos_event_log_head_sequence", .gauge, "The position of the last event, over all streams.",
                try EventQueries.lastGlobalSeq(in: transaction))
        }
    }

    private func addLive(_ sources: Sources, to text: inout MetricsText) {
        let lags = sources.hub.lags
        text.add("aos_sse_followers", .gauge, "Clients that follow a room.", lags.count)
        text.add(
            "aos_sse_follower_lag_events_max", .gauge, "Events the slowest follower has not been given yet.",
            lags.max() ?? 0)
        text.add(
            "aos_sse_followers_dropped_total", .counter,
            "Followers that went, or were cut off for being slow, with events waiting for them.",
            followersDropped.count)
        text.add(
            "aos_sse_log_reads_total", .counter, "Pages of the log that followers read because they were behind.",
            followerLogReads.count)
        text.add("aos_claims_waiting", .gauge, "Engines that wait for a run.", sources.claims.waiterCount)
        text.add("aos_draining", .gauge, "1 while the api is being stopped.", sources.isDraining() ? 1 : 0)
    }

    private func addProcess(to text: inout MetricsText) {
        text.add(
            "process_start_time_seconds", .gauge, "When the process started, in seconds since 1970.",
            Double(startedAtMs) / 1_000)
        guard let usage = ProcessUsage.now() else { return }
        text.add("process_cpu_seconds_total", .counter, "Processor time used.", usage.cpuSeconds)
        text.add("process_open_fds", .gauge, "Open file descriptors.", usage.openDescriptors)
        text.add("process_resident_memory_bytes", .gauge, "Memory that is in use.", usage.residentBytes)
        text.add("process_virtual_memory_bytes", .gauge, "Memory that is mapped.", usage.virtualBytes)
    }
}

package import DatabaseCore
import Domain
import EventStore
import HTTP
package import HTTPServer
package import Platform
import Projectors
package import Shared
import Synchronization

/// The api, put together: everything is made here, handed what it needs, started and stopped here.
package final class APIApplication: Sendable {
    /// How long requests in flight may take once the api has been told to stop.
    package static let drainMilliseconds = 10_000

    package let configuration: APIConfiguration
    /// What answers requests: tests call it without a socket.
    package let handler: any RequestHandler
    /// What is served.
    package let endpoints: [EndpointDescription]
    package let operatorToken: String

    private let environment: APIEnvironment
    private let database: any Database
    private let commands: CommandBus
    private let timers: Timers
    private let audits: Audits
    private let backups: BackupDesk
    private let checkpoints: Checkpoints
    private let exports: Exports
    private let health: HealthDesk
    private let blobs: BlobStore
    private let passphrases: Passphrases
    private let permits: PermitBook
    private let metrics: Metrics
    private let draining: Flag
    private let threads: Mutex<[Thread]> = Mutex([])
    /// Held for as long as the api lives: no second api, no repair tool on the same data.
    private let lock: Descriptor

    /// A flag that many look at and one sets.
    private final class Flag: Sendable {
        private let value = Atomic<Bool>(false)
        var isSet: Bool { value.load(ordering: .relaxed) }
        func set() { value.store(true, ordering: .relaxed) }
    }

    /// Opens the data directory, brings the schema up to date, takes up where the last process ended.
    /// - Parameter port: The port it is reached at, for the host check.
    /// - Throws: What stands in the way, as a sentence.
    package init(
        _ configuration: APIConfiguration, port: UInt16, clock: any Clock = SystemClock(),
        entropy: any Entropy = SystemEntropy(), leaseClock: LeaseClock = .database, log: Log,
        onStorageFault: @escaping @Sendable (DatabaseError) -> Void
    ) throws {
        self.configuration = configuration
        let data = configuration.dataDirectory
        try Files.makeFolder("\(data)/audit")
        lock = try DataDirectory.lock(data)
        operatorToken = try DataDirectory.secret("\(data)/\(DataDirectory.operatorTokenName)", entropy) {
            "aos_" + Base64URL.text($0)
        }
        let metrics = Metrics(startedAtMs: clock.wallMilliseconds())
        let pulse = WriterPulse(nowMs: clock.monotonicMilliseconds(), on: configuration.storage.backend)
        let ttl = configuration.leaseMilliseconds
        let database = try Storage.open(
            configuration.storage, onStorageFault: onStorageFault,
            onRecovery: { transaction in
                // Whoever could not say that it lives while the server was away gets a chance to.
                let nowMs = try transaction.clockMilliseconds() ?? clock.monotonicMilliseconds()
                let until = Timestamp(milliseconds: clock.wallMilliseconds() + ttl)
                let renewed = try LeaseTable.renewAll(
                    expiresAtMonotonicMs: nowMs + ttl, expiresAt: until, transaction)
                log.warning("the database is back", ["renewed_leases": .number(Int64(renewed))])
            },
            onBatch: { batch in
                metrics.written(batch)
                pulse.written(batch)
            }, onRemark: { log.warning("storage: \($0)") })
        let tokenKey = try TokenKey.text(database, data, entropy)
        (self.metrics, self.database) = (metrics, database)
        let environment = APIEnvironment(
            clock: clock, entropy: entropy, database: database,
            eventLog: EventLog(randomBytes: { entropy.bytes($0) }), log: log,
            leaseMilliseconds: ttl, leaseClock: leaseClock, enforcementMode: configuration.enforcementMode,
            isPromotionLoopEnabled: configuration.isPromotionLoopEnabled, tokenKey: Hex.bytes(tokenKey) ?? [])
        self.environment = environment
        let (hub, claims, controls) = (EventHub(), ClaimQueue(), ControlHub())
        let headFile = HeadFile(path: "\(data)/audit/heads.ndjson")
        let aftermath = Aftermath(
            hub: hub, claims: claims, controls: controls, headFile: headFile, metrics: metrics,
            tail: database.backend.isShared ? LogTail(database) : nil)
        let flag = Flag()
        draining = flag
        let isDraining: @Sendable () -> Bool = { flag.isSet }
        let authentication = Authentication(
            environment: environment, operatorToken: operatorToken, isHeaderMode: configuration.isHeaderMode,
            metricsToken: configuration.metricsToken, webCookieName: WebIdentity.cookieName(port: port))
        let crossOrigin = CrossOrigin(configuration.allowedOrigins)
        let hosts = HostPolicy(port: port, more: configuration.allowedHosts, crossOrigin: crossOrigin)
        // The pipeline words problems, and the routes below it need that for what they answer later.
        let wording = RequestPipeline(
            environment: environment, authentication: authentication, hosts: hosts, crossOrigin: crossOrigin,
            routes: RouteTable())
        let problems = ProblemAnswers { wording.problem(for: $0, $1.trace, $1.request, $1.endpoint) }
        commands = CommandBus(environment: environment, aftermath: aftermath, problems: problems)
        permits = PermitBook(nowMs: clock.monotonicMilliseconds())
        checkpoints = Checkpoints(
            environment: environment, path: "\(data)/audit/checkpoints.ndjson",
            key: try AuditKey(configuration, entropy), publishDirectory: configuration.auditPublishDirectory)
        audits = Audits(
            environment: environment, headFilePath: headFile.path, checkpoints: checkpoints,
            temporaryDirectory: "\(data)/tmp", problems: problems
        )
        let source = Backup.Source(
            storage: configuration.storage, dataDirectory: data, blobsDirectory: configuration.blobsDirectory,
            database: database, entropy: entropy)
        backups = try BackupDesk(environment: environment, commands: commands, source: source, problems: problems)
        health = HealthDesk(
            environment: environment, dataDirectory: data, headFile: headFile, checkpoints: checkpoints,
            problems: problems,
            isDraining: isDraining)
        blobs = try BlobStore(
            directory: configuration.blobsDirectory, bytesMax: configuration.artifactBytesMax, entropy: entropy,
            log: log)
        passphrases = Passphrases(environment: environment, problems: problems)
        exports = Exports(database: database, log: log)
        timers = Timers(
            environment: environment, commands: commands, permits: permits, blobs: blobs, pulse: pulse,
            checkpoints: checkpoints)

        var routes = RouteTable(meters: metrics.requests)
        ApprovalRoutes(environment: environment, commands: commands).mount(on: &routes)
        ArtifactRoutes(environment: environment, commands: commands, blobs: blobs, problems: problems).mount(
            on: &routes)
        AuthRoutes(
            environment: environment, commands: commands, authentication: authentication, passphrases: passphrases,
            rules: AuthRoutes.Rules(configuration, environment)
        ).mount(on: &routes)
        AuditRoutes(environment: environment, audits: audits, backups: backups).mount(on: &routes)
        EngineRoutes(environment: environment, commands: commands, problems: problems, isDraining: isDraining)
            .mount(on: &routes)
        ErasureRoutes(
            environment: environment, commands: commands, blobs: blobs, problems: problems,
            temporaryDirectory: "\(data)/tmp"
        ).mount(on: &routes)
        EventRoutes(environment: environment, hub: hub, metrics: metrics, exports: exports).mount(on: &routes)
        EvidenceRoutes(environment: environment, commands: commands).mount(on: &routes)
        ExperimentRoutes(environment: environment, commands: commands).mount(on: &routes)
        HealthRoutes(environment: environment, desk: health).mount(on: &routes)
        IncidentRoutes(environment: environment, commands: commands).mount(on: &routes)
        LeaseRoutes(
            environment: environment, commands: commands, authentication: authentication, problems: problems
        ).mount(on: &routes)
        PipelineRoutes(environment: environment).mount(on: &routes)
        ReviewRoutes(environment: environment, commands: commands).mount(on: &routes)
        PolicyRoutes(environment: environment, commands: commands).mount(on: &routes)
        ProbeRoutes(
            metrics: metrics,
            sources: Metrics.Sources(
                environment: environment, hub: hub, claims: claims, queuedWorks: { database.queuedWorks },
                isDraining: isDraining), pulse: pulse, schemaVersion: { try database.schemaVersion() },
            metricsAccess: .scraper(isOpen: configuration.isLoopback && configuration.metricsToken == nil)
        ).mount(on: &routes)
        RoomRoutes(environment: environment, commands: commands).mount(on: &routes)
        RunRoutes(environment: environment, commands: commands, audits: audits).mount(on: &routes)
        SearchRoutes(environment: environment).mount(on: &routes)
        StepRoutes(environment: environment, commands: commands, permits: permits).mount(on: &routes)
        SystemRoutes(environment: environment, commands: commands, permits: permits, isDraining: isDraining)
            .mount(on: &routes)
        ThreadRoutes(environment: environment, commands: commands).mount(on: &routes)
        WebRoutes(files: WebFiles(folder: configuration.webFolder)).mount(on: &routes)
        WebSessionRoutes(
            environment: environment, commands: commands, cookieName: WebIdentity.cookieName(port: port)
        ).mount(on: &routes)
        OpenAPIRoutes().mount(on: &routes)
        handler = RequestPipeline(
            environment: environment, authentication: authentication, hosts: hosts, crossOrigin: crossOrigin,
            routes: routes)
        endpoints = routes.endpoints
        try Self.resume(aftermath, database, log)
    }

    /// Starts what runs beside requests, renews leases, and says in history that the api is there.
    package func start() throws {
        let (environment, configuration) = (environment, configuration)
        let (recorded, turnsOfOthers) = try database.writeAndWait { transaction in
            let work = Work(transaction, environment, now: environment.now)
            let ttl = environment.leaseMilliseconds
            let isAlone = try transaction.otherWriters() == 0
            // Where another api has been there all the while, the leases have been kept by it.
            let renewed =
                isAlone
                ? try LeaseTable.renewAll(
                    expiresAtMonotonicMs: work.leaseClockMs() + ttl, expiresAt: work.now.adding(milliseconds: ttl),
                    transaction) : 0
            let scope = EventScope(workspaceID: .system, correlationID: environment.newCorrelationID())
            let started = APIStarted(version: ReleaseVersion.text, recoveredLeases: renewed)
            try work.record(EventDraft(.system(.apiStarted(started)), in: scope, by: .api))
            // Another api's environment may have engaged the switch: only that one's, or a reload, lifts it again.
            if isAlone || configuration.killSwitch { try work.setKillSwitchByEnvironment(configuration.killSwitch) }
            return (work.recorded, transaction.turnsOfOthers)
        }
        permits.begin(turnsOfOthers: turnsOfOthers)
        commands.aftermath.committed(recorded)
        let aftermath = commands.aftermath
        threads.withLock {
            $0 = [
                timers.start(), audits.start(), backups.start(), checkpoints.start(), health.start(), blobs.start(),
                exports.start(),
                passphrases.start(),
                aftermath.tail?.start { aftermath.deliver($0) },
            ].compactMap(\.self)
        }
    }

    /// What of the env file can change while the api runs: the kill switch.
    /// - Parameter then: Hears whether it is in force: where it stops external writes, when none can start any more.
    package func reload(_ latest: APIConfiguration, then: @escaping @Sendable (Bool) -> Void = { _ in }) {
        let turnsOfOthers = Mutex(0)
        commands.perform("reload") { work in
            try work.setKillSwitchByEnvironment(latest.killSwitch)
            let scope = EventScope(workspaceID: .system, correlationID: work.environment.newCorrelationID())
            let reloaded = ConfigurationReloaded(changed: ["POLICY_KILL_SWITCH_EXTERNAL_WRITE"])
            try work.record(EventDraft(.system(.configurationReloaded(reloaded)), in: scope, by: .api))
            turnsOfOthers.withLock { $0 = work.transaction.turnsOfOthers }
        } then: { [permits, environment] isDone in
            guard isDone, latest.killSwitch else { return then(isDone) }
            permits.whenQuiet(
                nowMs: environment.clock.monotonicMilliseconds(), turnsOfOthers: turnsOfOthers.withLock { $0 }
            ) { then(true) }
        }
    }

    /// Answers when the writer has got round to it, however it fares: a disk that is full or a server that is away is
    /// no reason to start again.
    package func askWriter(_ answer: @escaping @Sendable () -> Void) {
        database.write { _ in
        } then: { (_: Result<Void, any Error>) in
            answer()
        }
    }

    /// Answers whoever waits, so that the server can drain.
    package func beginDraining() {
        draining.set()
        commands.aftermath.claims.giveUpAll()
        commands.aftermath.controls.giveUpAll()
        commands.aftermath.hub.endAll()
        // Whoever waits for the kill switch to hold is not answered early: the last permit runs out within the drain.
    }

    /// Ends what runs beside requests, says so in history, closes the database.
    package func stop(reason: String) {
        beginDraining()
        let environment = environment
        let recorded = try? database.writeAndWait { transaction in
            let work = Work(transaction, environment, now: environment.now)
            let scope = EventScope(workspaceID: .system, correlationID: environment.newCorrelationID())
            try work.record(EventDraft(.system(.apiStopped(APIStopped(reason: reason))), in: scope, by: .api))
            return work.recorded
        }
        if let recorded { commands.aftermath.committed(recorded) }
        timers.stop()
        audits.stop()
        backups.stop()
        checkpoints.stop()
        health.stop()
        blobs.stop()
        passphrases.stop()
        exports.stop()
        commands.aftermath.tail?.stop()
        for thread in threads.withLock({ $0 }) { thread.join() }
        database.close()
    }

    /// How many pages of events followers had to read from the log.
    package var followerLogReads: Int { metrics.followerLogReads.count }

    /// How many clients follow a room.
    package var followerCount: Int { commands.aftermath.hub.followerCount }

    /// How many claims wait for a run.
    package var waitingClaims: Int { commands.aftermath.claims.waiterCount }

    /// How often the timers have looked at the clock.
    package var timerTicks: Int { timers.ticks.load(ordering: .relaxed) }

    private static func resume(_ aftermath: Aftermath, _ database: any Database, _ log: Log) throws {
        let headFile = aftermath.headFile
        let last = try HeadFile.lastLine(path: headFile.path)
        try database.read { transaction in
            let logEnd = try EventQueries.lastGlobalSeq(in: transaction)
            if let last, last.globalSeq > logEnd {
                log.error(
                    "the event log is shorter than the head file says; run `aos verify`",
                    ["log_ends_at": .number(logEnd), "head_file_says": .number(last.globalSeq)])
            }
            try headFile.resume(lastLine: last) { after, fold in
                try EventQueries.eachHash(afterGlobalSeq: after, in: transaction) {
                    fold($0, $1)
                    return true
                }
            }
            aftermath.tail?.begin(after: logEnd)
        }
    }
}

extension Work {
    fileprivate func setKillSwitchByEnvironment(_ engaged: Bool) throws {
        let state = try KillSwitchTable.state(transaction)
        try record(
            KillSwitchDecider.set(
                state, engaged, source: .environment, reason: "POLICY_KILL_SWITCH_EXTERNAL_WRITE",
                correlationID: environment.newCorrelationID(), CommandFacts(actor: .api, now: now)))
        if !engaged, try !KillSwitchTable.state(transaction).isEngaged { try settleHalts() }
    }
}

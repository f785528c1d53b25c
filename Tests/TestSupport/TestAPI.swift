package import API
package import APIClient
import DatabaseCore
import EventStore
package import HTTPClient
import HTTPServer
package import JSON
package import Platform
import PostgresTestSupport
import Projectors
package import Shared
import Synchronization

/// How a test reaches the api.
package enum Transports: String, CaseIterable, Sendable, CustomStringConvertible {
    /// The handler is called directly.
    case router
    /// HTTP over a socket of this machine.
    case socket

    package var description: String { rawValue }
}

/// A whole api on a data directory of its own, with a clock that the test moves.
package final class TestAPI: Sendable {
    private struct Running: Sendable {
        var application: APIApplication
        var server: HTTPServer?
        var transport: any HTTPTransport
        var address: SocketAddress?
    }

    package let clock: ManualClock
    package let folder: TemporaryFolder
    package let transports: Transports
    private let settings: Mutex<[String: String]>
    private let running = Mutex<Running?>(nil)
    private let engines = Mutex<[String: APIClient.Credential]>([:])
    private let errors = Mutex<[String]>([])
    private let lines = Mutex<[String]>([])
    /// The test's database, where the suite is run on Postgres.
    private let scratch: ScratchDatabase.Place

    package init(_ transports: Transports, settings: [String: String] = [:]) throws {
        (clock, folder, self.transports) = (ManualClock(), try TemporaryFolder(), transports)
        var settings = settings
        scratch = try ScratchDatabase.Place(Storage.migrations)
        if let url = scratch.url, settings["DATABASE_URL"] == nil { settings["DATABASE_URL"] = url }
        self.settings = Mutex(settings)
        try start()
    }

    // MARK: Life

    private func start() throws {
        let configuration = try configuration()
        let level = settings.withLock { $0["AOS_LOG_LEVEL"] } == nil ? .error : configuration.logLevel
        let log = Log(level: level, format: .json) { [self] line in
            let line = String(decoding: line, as: UTF8.self)
            lines.withLock { $0.append(line) }
            if line.contains("\"level\":\"error\"") { errors.withLock { $0.append(line) } }
        }
        let socket =
            transports == .socket ? try TCP.listen(at: SocketAddress(host: .v4([127, 0, 0, 1]), port: 0)) : nil
        let address = socket.flatMap { TCP.localAddress(of: $0) }
        let application = try APIApplication(
            configuration, port: address?.port ?? 7717, clock: clock, leaseClock: .process, log: log
        ) { [self] fault in errors.withLock { $0.append("\(fault)") } }
        try application.start()
        // Permits of a process before this one have run out.
        clock.advance(2_000)
        var running = Running(
            application: application, transport: RouterTransport(application.handler), address: address)
        if let socket, let address {
            let server = HTTPServer(handler: application.handler)
            try server.start(on: socket)
            running.server = server
            running.transport = SocketTransport(host: "127.0.0.1", port: address.port)
        }
        self.running.withLock { $0 = running }
    }

    private func configuration() throws -> APIConfiguration {
        var environment = settings.withLock { $0 }
        environment["AOS_DATA_DIR"] = folder.path
        return try APIConfiguration.read(environment: environment)
    }

    /// Which database it keeps its data in, also while it is stopped.
    package var storage: StorageLocation { get throws { try configuration().storage } }

    package func stop() {
        guard
            let running = running.withLock({ running in
                defer { running = nil }
                return running
            })
        else { return }
        running.application.beginDraining()
        running.server?.drain(graceMilliseconds: 1_000)
        running.server?.waitUntilStopped()
        running.application.stop(reason: "test")
    }

    /// Ends the api as SIGTERM does, and starts it again on the same data.
    /// - Parameter meanwhile: What is done to the data in between.
    package func restart(_ meanwhile: () throws -> Void = {}) throws {
        stop()
        try meanwhile()
        try start()
    }

    /// Writes history straight into the database while the api is stopped: what commands would write, in less time.
    /// - Parameter drafts: The events of each of the `count` commands, and when they are recorded.
    package func write(_ count: Int, _ drafts: @escaping @Sendable (Int) -> (EventDraft, at: Timestamp)) throws {
        stop()
        let database = try Storage.open(storage) { [self] fault in errors.withLock { $0.append("\(fault)") } }
        let log = EventLog { SystemEntropy().bytes($0) }
        for start in stride(from: 0, to: count, by: 1_000) {
            try database.writeAndWait { transaction in
                for number in start..<min(start + 1_000, count) {
                    let (draft, at) = drafts(number)
                    let recorded = try log.append([draft], at: at, in: transaction)
                    try ProjectorCatalogue.project(recorded, in: transaction)
                }
            }
        }
        database.close()
        try self.start()
    }

    /// SIGHUP, with these settings in the environment.
    package func reload(_ changed: [String: String]) throws {
        settings.withLock { $0.merge(changed) { _, new in new } }
        application.reload(try configuration())
    }

    /// What the api logged as errors so far: a test in which there is any has found a defect.
    package func takeErrors() -> [String] {
        errors.withLock { errors in
            defer { errors = [] }
            return errors
        }
    }

    /// All that the api logged; errors only, unless `AOS_LOG_LEVEL` says more.
    package var logLines: [String] { lines.withLock { $0 } }

    package var application: APIApplication { running.withLock { $0!.application } }
    package var transport: any HTTPTransport { running.withLock { $0!.transport } }
    /// Where the socket listens; nil for the router.
    package var address: SocketAddress? { running.withLock { $0?.address } }

    // MARK: Callers

    /// The operator in the workspace `ws_dev`.
    package var `operator`: APIClient { `operator`(in: nil) }

    package func `operator`(in workspace: WorkspaceID?) -> APIClient {
        APIClient(transport: transport, credential: .bearer(application.operatorToken), workspace: workspace)
    }

    /// Nobody.
    package var stranger: APIClient { APIClient(transport: transport, credential: .bearer(nil)) }

    /// Whoever has this token.
    package func bearer(_ token: String, in workspace: WorkspaceID? = nil) -> APIClient {
        APIClient(transport: transport, credential: .bearer(token), workspace: workspace)
    }

    /// The engine of that name, made known when it is first named.
    package func engine(_ name: String, in workspace: WorkspaceID? = nil) throws -> APIClient {
        let key = "\(workspace?.rawValue ?? "")/\(name)"
        if let known = engines.withLock({ $0[key] }) { return APIClient(transport: transport, credential: known) }
        let made = try `operator`(in: workspace).call(.registerEngine, RegisterEngine(actorID: name))
        let credential = APIClient.Credential.engine(made.engine.engineID, token: made.token.engineToken ?? "")
        engines.withLock { $0[key] = credential }
        return APIClient(transport: transport, credential: credential)
    }

    // MARK: Shortcuts

    package func room(_ title: String = "Night shift", in workspace: WorkspaceID? = nil) throws -> RoomID {
        try `operator`(in: workspace).call(
            .createRoom, CreateRoom(title: title, roomMode: "default", defaultLang: "en")
        ).roomID
    }

    /// A queued run with a plan.
    package func run(
        in room: RoomID, _ plan: JSONValue = Plans.shell, title: String = "t", workspace: WorkspaceID? = nil
    ) throws -> RunID {
        try `operator`(in: workspace).call(
            .createRun, CreateRun(roomID: room, title: title, input: ["plan": plan])
        ).runID
    }

    /// The position of the last event over all streams.
    package func lastGlobalSeq() throws -> Int64 {
        let found = try `operator`.call(.verifyLog, Nothing())
        guard found.valid else { throw TestFailure("the log is not valid: \(found.faults)") }
        return found.headGlobalSeq
    }

    /// The events of the run, oldest first.
    package func events(_ run: RunID, in workspace: WorkspaceID? = nil) throws -> [EventRow] {
        try `operator`(in: workspace).call(
            .events, Nothing(), query: [("run_id", run.rawValue), ("limit", "200")]
        ).events
    }

    package func eventTypes(_ run: RunID) throws -> [String] { try events(run).map(\.eventType) }

    package func status(_ run: RunID) throws -> RunStatus {
        try `operator`.call(.run, Nothing(), ["run_id": run.rawValue]).run.status
    }

    /// Waits until the run has the status: for what timers do.
    package func wait(for run: RunID, _ status: RunStatus) throws {
        try eventually("\(run) to be \(status)") { try self.status(run) == status }
    }

    /// Claims the oldest queued run.
    package func hold(_ name: String = "engine-a", in workspace: WorkspaceID? = nil) throws -> Hold {
        let engine = try engine(name, in: workspace)
        let answer = try engine.call(.claimRun, ClaimRun(plan: "any"))
        guard let run = answer.run else { throw TestFailure("there is no run to claim") }
        return Hold(client: engine, run: run)
    }
}

/// Gives `body` a fresh api, and checks at the end that nothing went wrong inside it.
package func withAPI(
    _ transports: Transports = .router, settings: [String: String] = [:], _ body: (TestAPI) throws -> Void
) throws {
    let api = try TestAPI(transports, settings: settings)
    defer { api.stop() }
    try body(api)
    let found = try api.operator.call(.verifyLog, Nothing())
    guard found.valid else { throw TestFailure("the log is not valid afterwards: \(found)") }
    let projections = try api.operator.call(.checkProjections, Nothing())
    guard projections.equal else { throw TestFailure("rebuilt is not live: \(projections)") }
    let errors = api.takeErrors()
    guard errors.isEmpty else { throw TestFailure("the api logged errors:\n" + errors.joined()) }
}

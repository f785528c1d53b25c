import APIClient
import CLinux
import HTTP
import HTTPClient
import JSON
import Platform
import PostgresTestSupport
import Shared
import Synchronization
import Testing

/// A data folder with an api on it, and engines as wanted. All of it is gone with the last reference.
final class Stage: Sendable {
    private struct State {
        var api: RunningProgram?
        var address: SocketAddress?
        var engines: [RunningProgram] = []
        var operatorToken = ""
    }

    /// Everything of the test is below it.
    let folder: String
    let ttlMs: Int
    /// Where the api keeps its data, where that is not in the folder.
    let place: ScratchDatabase.Place
    private let settings: [String: String]
    private let state = Mutex(State())

    /// - Parameters:
    ///   - settings: For the api and the engines.
    ///   - place: Another stage's, to have two apis on one database.
    init(ttlMs: Int = 1000, _ settings: [String: String] = [:], place: ScratchDatabase.Place? = nil) throws {
        self.place = try place ?? ScratchDatabase.Place()
        let name = SystemEntropy().bytes(8).map { String($0, radix: 16) }.joined()
        let path = "/tmp/aos-e2e-\(name)"
        try Files.makeFolder(path)
        folder = Files.resolved(path) ?? path
        (self.ttlMs, self.settings) = (ttlMs, settings)
        for name in ["data", "home", "site"] { try Files.makeFolder("\(folder)/\(name)") }
        _ = EndToEnd.seed
    }

    deinit {
        let (api, engines) = state.withLock { ($0.api, $0.engines) }
        for program in engines + [api].compactMap({ $0 }) where program.isRunning { program.killNow() }
        if Program.environment()["AOS_E2E_KEEP"] == nil { try? Files.removeTree(folder) } else { print(folder) }
    }

    var data: String { "\(folder)/data" }
    /// A folder for plans to work in.
    var site: String { "\(folder)/site" }
    var api: RunningProgram { state.withLock { $0.api! } }
    var address: SocketAddress { state.withLock { $0.address! } }
    var operatorToken: String { state.withLock { $0.operatorToken } }

    // MARK: Programs

    private var environment: [String: String] {
        var environment = settings
        environment["HOME"] = "\(folder)/home"
        environment["AOS_DATA_DIR"] = data
        environment["RUN_LEASE_TTL_MS"] = String(ttlMs)
        if let url = place.url { environment["DATABASE_URL"] = environment["DATABASE_URL"] ?? url }
        return environment
    }

    /// Starts the api and waits until it answers. Returns how long that took, in nanoseconds.
    @discardableResult
    func startAPI(_ more: [String: String] = [:]) throws -> Int64 {
        let clock = SystemClock()
        let begin = clock.monotonicNanoseconds()
        var environment = environment.merging(more) { $1 }
        environment["PORT"] = environment["PORT"] ?? "0"
        // It says its address when that was not given.
        let given = environment["PORT"].flatMap { UInt16($0) }.flatMap { $0 == 0 ? nil : $0 }
        let api = try RunningProgram.start("api", environment: environment, logPath: "\(folder)/api.log")
        state.withLock { $0.api = api }
        let address = try #require(SocketAddress(numeric: "127.0.0.1", port: try given ?? announcedPort(of: api)))
        if given != nil {
            try #require(
                eventually(milliseconds: 10_000) {
                    (try? SocketTransport(pinned: address, hostHeader: "\(address)").send(
                        HTTPClientRequest(.get, "/livez")))
                        != nil
                }, "the api does not answer:\n\(api.logTail())")
        }
        let token = String(
            decoding: try Files.read("\(data)/operator.token", bytesMax: 4096), as: UTF8.self
        ).filter { !$0.isNewline }
        state.withLock { ($0.address, $0.operatorToken) = (address, token) }
        _ = try client().call(.health, Nothing())
        return clock.monotonicNanoseconds() - begin
    }

    private func announcedPort(of api: RunningProgram) throws -> UInt16 {
        let line = try #require(
            try api.firstLine(milliseconds: 10_000), "the api did not say its address:\n\(api.logTail())")
        return try #require(UInt16(line.split(separator: ":").last ?? ""))
    }

    /// Starts an engine that works for the stage's api.
    @discardableResult
    func startEngine(
        _ name: String, _ more: [String: String] = [:], through door: SocketAddress? = nil
    ) throws -> RunningProgram {
        var environment = environment.merging(more) { $1 }
        environment["ENGINE_API_BASE_URL"] = "http://\(door ?? address)"
        environment["ENGINE_ACTOR_ID"] = name
        environment["ENGINE_POLL_MS"] = environment["ENGINE_POLL_MS"] ?? "20"
        let engine = try RunningProgram.start("engine", environment: environment, logPath: "\(folder)/\(name).log")
        state.withLock { $0.engines.append(engine) }
        return engine
    }

    /// The engines that run.
    var engines: [RunningProgram] { state.withLock { $0.engines }.filter(\.isRunning) }

    /// Ends everything with SIGKILL.
    func killAll() {
        for engine in engines { engine.killNow() }
        state.withLock { $0.engines = [] }
        if let api = state.withLock({ $0.api }), api.isRunning { api.killNow() }
    }

    /// Runs a verb of the api on the stopped data: its exit code and what it said.
    func apiVerb(
        _ arguments: [String], data: String? = nil, _ more: [String: String] = [:]
    ) throws -> (exit: RunningProgram.Exit?, output: String) {
        var environment = environment.merging(more) { $1 }
        if let data { environment["AOS_DATA_DIR"] = data }
        let program = try RunningProgram.start(
            "api", arguments, environment: environment, logPath: "\(folder)/verb.log")
        let output = try program.wholeOutput()
        return (program.waitForEnd(milliseconds: 10_000), output)
    }

    /// Runs `aos` to its end: its exit code, what it printed, and what it noted.
    func aos(
        _ arguments: [String], _ more: [String: String] = [:]
    ) throws -> (exit: RunningProgram.Exit?, output: String, notes: String) {
        var environment = environment.merging(more) { $1 }
        environment["AOS_API_URL"] = environment["AOS_API_URL"] ?? "http://\(address)"
        let log = "\(folder)/aos-\(SystemEntropy().integer(in: 0...Int64.max)).log"
        let program = try RunningProgram.start("aos", arguments, environment: environment, logPath: log)
        let output = try program.wholeOutput()
        let exit = program.waitForEnd(milliseconds: 10_000)
        return (exit, output, String(decoding: try Files.read(log, bytesMax: 1 << 20), as: UTF8.self))
    }

    // MARK: Calls

    /// The operator.
    func client() -> APIClient {
        APIClient(
            transport: SocketTransport(pinned: address, hostHeader: "\(address)"), credential: .bearer(operatorToken))
    }

    /// An engine that is nothing but this client.
    func engineClient(_ name: String) throws -> (client: APIClient, id: EngineID) {
        let answer = try client().call(.registerEngine, RegisterEngine(actorID: name, engineName: name))
        let token = try #require(answer.token.engineToken)
        return (
            APIClient(
                transport: SocketTransport(pinned: address, hostHeader: "\(address)"),
                credential: .engine(answer.engine.engineID, token: token), workspace: "ws_dev"),
            answer.engine.engineID
        )
    }

    func room(_ title: String = "room") throws -> RoomID {
        try client().call(.createRoom, CreateRoom(title: title)).roomID
    }

    func submit(_ plan: JSONValue, in room: RoomID, input: JSONObject = [:]) throws -> RunID {
        var input = input
        input["plan"] = plan
        return try client().call(.createRun, CreateRun(roomID: room, title: "e2e", input: .object(input))).runID
    }

    func run(_ id: RunID) throws -> Run { try client().call(.run, Nothing(), ["run_id": id.rawValue]).run }

    func steps(_ id: RunID) throws -> [String: Step] {
        let steps = try client().call(.steps, Nothing(), ["run_id": id.rawValue]).steps
        return Dictionary(steps.map { ($0.planStepID ?? $0.stepID.rawValue, $0) }) { $1 }
    }

    func calls(_ id: RunID) throws -> [ToolCall] {
        try client().call(.toolCalls, Nothing(), query: [("run_id", id.rawValue), ("limit", "200")]).toolCalls
    }

    /// All events that fit, oldest first.
    func events(_ query: [(String, String)] = [], after seq: Int64 = 0) throws -> [EventRow] {
        let client = client()
        var (rows, cursor): ([EventRow], String?) = ([], String(seq))
        while let from = cursor {
            let page = try client.call(.events, Nothing(), query: query + [("limit", "200"), ("cursor", from)])
            rows += page.events
            cursor = page.nextCursor
        }
        return rows
    }

    func events(of run: RunID) throws -> [EventRow] { try events([("run_id", run.rawValue)]) }

    /// Waits until the run is as wanted; what it is when the time has passed.
    @discardableResult
    func wait(
        for id: RunID, milliseconds: Int = 20_000, until isWanted: (Run) -> Bool = { $0.status.isTerminal }
    ) throws -> Run {
        let client = client()
        let clock = SystemClock()
        let end = clock.monotonicMilliseconds() + Int64(milliseconds)
        while true {
            let run = try client.call(.run, Nothing(), ["run_id": id.rawValue]).run
            if isWanted(run) || clock.monotonicMilliseconds() > end { return run }
            pause(milliseconds: 5)
        }
    }

    /// The run's history in short, for a test that fails.
    func story(_ run: RunID, last: Int = 60) -> String {
        let events = (try? events(of: run)) ?? []
        let lines = events.suffix(last).map { event in
            let data = String(decoding: JSON.write(event.data).prefix(300), as: UTF8.self)
            return
                "\(event.streamSeq) \(event.recordedAt) \(event.actorID) \(event.eventType) \(event.stepID?.rawValue.suffix(4) ?? "-") \(data)"
        }
        return lines.joined(separator: "\n")
    }

    // MARK: Checks

    /// The chain holds, and the read models are what the log gives.
    func checkLog(_ location: SourceLocation = #_sourceLocation) throws {
        let client = client()
        let verified = try client.call(.verifyLog, Nothing(), deadlineMilliseconds: 60_000)
        #expect(verified.valid, "\(verified.faults) \(String(describing: verified.headFile))", sourceLocation: location)
        let check = try client.call(.checkProjections, Nothing(), deadlineMilliseconds: 60_000)
        let different = check.tables.filter { $0.liveDigest != $0.rebuiltDigest }
        #expect(check.equal, "\(different)", sourceLocation: location)
    }

    static func contains(_ bytes: [UInt8], _ needle: [UInt8]) -> Bool { Processes.contains(bytes, needle) }

    /// What the marker file has, line by line.
    func lines(_ name: String) -> [String] {
        let bytes = (try? Files.read("\(site)/\(name)", bytesMax: 1 << 20)) ?? []
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}

/// Lets time pass between two looks at another process.
func pause(milliseconds: Int64) {
    _ = Monitor(false).wait(milliseconds: milliseconds) { $0 ? true : nil }
}

/// Looks until it is so, or the time has passed.
func eventually(milliseconds: Int64 = 10_000, _ isSo: () throws -> Bool) rethrows -> Bool {
    let clock = SystemClock()
    let end = clock.monotonicMilliseconds() + milliseconds
    while true {
        if try isSo() { return true }
        if clock.monotonicMilliseconds() > end { return false }
        pause(milliseconds: 5)
    }
}

/// Plans, written short.
enum Plans {
    static func plan(_ steps: [JSONValue], workdir: String, parallel: Int = 4, timeoutMs: Int64 = 60_000) -> JSONValue {
        [
            "version": 1, "workdir": ["path": .string(workdir), "isolation": "none"],
            "limits": [
                "timeout_ms": .integer(timeoutMs), "max_parallel": .integer(Int64(parallel)), "max_tool_calls": 1000,
            ],
            "steps": .array(steps),
        ]
    }

    static func script(_ id: String, _ script: String, _ more: JSONObject = [:]) -> JSONValue {
        step(id, "shell", ["script": .string(script)], more)
    }

    static func step(_ id: String, _ tool: String, _ with: JSONValue, _ more: JSONObject = [:]) -> JSONValue {
        var step: JSONObject = ["id": .string(id), "tool": .string(tool), "with": with]
        for (name, value) in more { step[name] = value }
        return .object(step)
    }
}

extension JSONValue {
    /// A step of a plan with one more argument.
    func settingWith(_ name: String, _ value: JSONValue) -> JSONValue {
        guard var step = objectValue, var with = step["with"]?.objectValue else { return self }
        with[name] = value
        step["with"] = .object(with)
        return .object(step)
    }
}

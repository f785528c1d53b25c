import APIClient
import HTTP
import HTTPClient
import JSON
import Platform
import Shared

/// Looks after the api and an engine as children of this program: starts them, starts again what dies, gives up when
/// that does not help, and drains both at the end.
final class Supervisor {
    static let modeSetting = "DESKTOP_RUNNER_MODE"

    private static let readyMilliseconds: Int64 = 20_000
    private static let registeredMilliseconds: Int64 = 5_000
    private static let pollMilliseconds: Int64 = 25
    private static let healthMilliseconds = 2_000
    /// Beyond the grace that the engine gives its calls and the api its connections.
    private static let graceExtraMilliseconds: Int64 = 20_000
    private static let graceDefaultMilliseconds: Int64 = 10_000

    private enum Happening: Sendable {
        case ended(Sibling, ProcessEnd.Exit?, String)
        /// The api that was started as the so-manieth answers, or does not in time.
        case ready(Int)
        case late(Int)
        case address(String)
        case interrupted
    }

    /// A program, and what there is to know about its starts.
    private struct Slot {
        var policy = RestartPolicy()
        var child: SupervisedProgram?
        var starts = 0
        /// Whether it has ever come up: one that has not is not started again.
        var wasReady = false
        /// By the monotonic clock.
        var startAtMilliseconds: Int64?
        var record: Supervision.Program
    }

    private let session: Session
    private let mode: Supervision.Mode
    private let isDemo: Bool
    private var environment: [String: String]
    private var port: Int
    private var connection: Connection
    private var slots: [Sibling: Slot] = [:]
    private var supervision: Supervision
    private var written: Supervision?
    private let file: SupervisorFile
    private let happenings = Monitor<[Happening]>([])
    private var demo: Demonstration?
    private var isAnnounced = false

    init(_ session: Session, port: Int?, isDemo: Bool) throws {
        (self.session, self.isDemo) = (session, isDemo)
        environment = session.environment
        if let port { environment["PORT"] = String(port) }
        self.port = environment["PORT"].flatMap { Int($0) } ?? 7717
        mode = try Self.mode(environment)
        if isDemo, mode == .external {
            throw Failure(.usage, "--demo needs an engine of its own", next: ["unset \(Self.modeSetting)"])
        }
        // Both read it; a relative path means the folder this program was started in.
        if let directory = environment["AOS_DATA_DIR"], !directory.isEmpty, !directory.hasPrefix("/") {
            environment["AOS_DATA_DIR"] = "\(Files.resolved(".") ?? ".")/\(directory)"
        }
        if session.console.error.isTerminal {
            environment["AOS_LOG_FORMAT"] = environment["AOS_LOG_FORMAT"] ?? "text"
            // Who looks on wants to hear of what is wrong; the rest is in the history.
            environment["AOS_LOG_LEVEL"] = environment["AOS_LOG_LEVEL"] ?? "warning"
        }
        environment["AOS_API_URL"] = nil
        // What is started here keeps its data where the programs do by themselves, not where an installed one has it.
        if ["AOS_DATA_DIR", "STATE_DIRECTORY", "AOS_ENV_FILE"].allSatisfy({ (session.environment[$0] ?? "").isEmpty }) {
            var settings = Settings(environment: environment)
            environment["AOS_DATA_DIR"] = settings.dataDirectory(environment)
        }
        connection = try Connection.read(environment)
        file = SupervisorFile(connection.dataDirectory)
        let programs: [Sibling] = mode == .embedded ? [.api, .engine] : [.api]
        supervision = Supervision(
            mode: mode, pid: Int64(Program.processID), restartsMax: RestartPolicy.restartsMax,
            windowMs: RestartPolicy.windowMilliseconds,
            programs: programs.map { Supervision.Program(name: $0.rawValue) }, at: session.now)
        for program in programs { slots[program] = Slot(record: Supervision.Program(name: program.rawValue)) }
    }

    private static func mode(_ environment: [String: String]) throws -> Supervision.Mode {
        let text = environment[modeSetting] ?? ""
        guard !text.isEmpty else { return .embedded }
        guard let mode = Supervision.Mode(rawValue: text) else {
            let words = Supervision.Mode.allCases.map(\.rawValue).joined(separator: " or ")
            throw Failure(.configuration, "\(modeSetting): found \"\(text)\", allowed is \(words)")
        }
        return mode
    }

    // MARK: The loop

    func run() throws -> ExitCode {
        for program in slots.keys { _ = try program.found(environment) }
        connection.url = url
        if port != 0 { supervision.url = url }
        if port != 0, let version = health(connection)?.version {
            throw Failure(
                .failed, "an api (\(version)) is running already at \(connection.url)",
                next: ["aos status", "aos up --port 0"])
        }
        let signals = try Signals()
        Thread.start("signals") { [happenings] in
            while let signal = try? signals.next() {
                if signal != .hangUp { happenings.update { $0.append(.interrupted) } }
            }
        }
        guard let lock = try file.lock() else {
            throw Failure(
                .failed, "another `aos up` looks after \(connection.dataDirectory)",
                next: ["aos status", "AOS_DATA_DIR=/tmp/trial aos up --port 0"])
        }
        defer { withExtendedLifetime(lock) {} }
        if isDemo {
            demo = try Demonstration(session.console)
            environment["EGRESS_ALLOW"] = [environment["EGRESS_ALLOW"] ?? "", demo?.receiverAddress ?? ""]
                .filter { !$0.isEmpty }.joined(separator: ",")
        }
        try start(.api)
        while true {
            let happening = happenings.wait(milliseconds: patience) { list in
                list.isEmpty ? nil : list.removeFirst()
            }
            if let happening, let exit = try handle(happening) { return exit }
            try startWhatIsDue()
            write()
        }
    }

    /// Until something is due.
    private var patience: Int64? {
        let now = session.clock.monotonicMilliseconds()
        let due = slots.flatMap { program, slot in
            [isHeldBack(program) ? nil : slot.startAtMilliseconds, slot.policy.nextChangeAtMilliseconds].compactMap(
                \.self)
        }
        return due.min().map { max(0, $0 - now) }
    }

    /// An engine without an api could only wait.
    private func isHeldBack(_ program: Sibling) -> Bool {
        program == .engine && slots[.api]?.record.state != .running
    }

    private func handle(_ happening: Happening) throws -> ExitCode? {
        switch happening {
        case .address(let address):
            guard port == 0, let number = address.split(separator: ":").last.flatMap({ Int($0) }) else { return nil }
            // The next api is found where this one was.
            port = number
            environment["PORT"] = String(number)
            connection.url = url
            supervision.url = url
            watchReadiness()
        case .ready(let number):
            guard number == slots[.api]?.starts else { return nil }
            try apiIsReady()
        case .late(let number):
            guard number == slots[.api]?.starts, let child = slots[.api]?.child else { return nil }
            session.console.note("aos up: the api does not answer after \(Self.readyMilliseconds / 1000) s")
            child.terminate()
        case .interrupted:
            session.console.note("aos up: stopping; running calls may finish first")
            stopAll(.stopping)
            try? file.remove()
            return .ok
        case .ended(let program, let exit, let reason): return try ended(program, exit, reason)
        }
        return nil
    }

    private func apiIsReady() throws {
        let isFirst = slots[.api]?.wasReady == false
        slots[.api]?.wasReady = true
        slots[.api]?.record.state = .running
        if !isFirst { session.console.note("aos up: the api is there again") }
        if mode == .embedded, slots[.engine]?.child == nil, slots[.engine]?.startAtMilliseconds == nil {
            try start(.engine)
        }
        guard !isAnnounced else { return }
        isAnnounced = true
        // The token file is there now.
        let settled = try Connection.read(environment)
        (connection.token, connection.tokenSource) = (settled.token, settled.tokenSource)
        if mode == .embedded { awaitEngine(since: supervision.startedAt) }
        write()
        announce()
        demo?.begin(connection, environment, prefix: prefix)
    }

    private func ended(_ program: Sibling, _ exit: ProcessEnd.Exit?, _ reason: String) throws -> ExitCode? {
        guard var slot = slots[program] else { return nil }
        let how = Self.words(exit, reason)
        slot.child = nil
        slot.record.state = .ended
        (slot.record.lastExit, slot.record.lastExitAt) = (Self.short(exit), session.now)
        slots[program] = slot
        if program == .engine, exit == .code(0), Settings.truth(environment["ENGINE_RUN_ONCE"] ?? "") == true {
            session.console.note("aos up: the engine has done what was queued (ENGINE_RUN_ONCE)")
            stopAll(.stopping)
            try? file.remove()
            return .ok
        }
        guard slot.wasReady else { return try giveUp(program, exit, how, "it has never been ready") }
        let now = session.clock.monotonicMilliseconds()
        switch slot.policy.ended(exit, atMilliseconds: now) {
        case .giveUp(let why): return try giveUp(program, exit, how, why)
        case .restart(let pause):
            slot.startAtMilliseconds = now + pause
            slot.record.state = .backingOff
            slot.record.nextStartAt = session.now.adding(milliseconds: pause)
            slots[program] = slot
            session.console.note(
                "aos up: the \(program.rawValue) \(how); starting it again in \(Amounts.duration(milliseconds: pause))"
                    + " (\(slot.policy.recent(atMilliseconds: now)) of at most \(RestartPolicy.restartsMax) within"
                    + " \(RestartPolicy.windowMilliseconds / 1000) s)")
            return nil
        }
    }

    private func giveUp(
        _ program: Sibling, _ exit: ProcessEnd.Exit?, _ how: String, _ why: String
    ) throws -> ExitCode? {
        let reason = "the \(program.rawValue) \(how): \(why)"
        supervision.reason = reason
        stopAll(.fatal)
        var code = ExitCode.failed
        if case .code(let number)? = exit, let known = ExitCode(rawValue: Int32(number)), known != .ok { code = known }
        let next = code == .configuration ? ["aos config show --origin", "aos help environment"] : ["aos doctor"]
        throw Failure(code, reason, next: next)
    }

    // MARK: Starting and stopping

    private func startWhatIsDue() throws {
        let now = session.clock.monotonicMilliseconds()
        for program in Sibling.allCases where !isHeldBack(program) {
            guard let at = slots[program]?.startAtMilliseconds, at <= now else { continue }
            slots[program]?.record.restarts += 1
            try start(program)
        }
    }

    private func start(_ program: Sibling) throws {
        guard var slot = slots[program] else { return }
        let path = try program.found(environment)
        var environment = environment
        if program == .engine { environment["ENGINE_API_BASE_URL"] = connection.url }
        slot.starts += 1
        (slot.startAtMilliseconds, slot.record.nextStartAt) = (nil, nil)
        slot.record.startedAt = session.now
        // An engine is one that works as soon as it is there: it waits for the api by itself.
        slot.record.state = program == .engine ? .running : .starting
        if program == .engine { slot.wasReady = true }
        slot.child = SupervisedProgram(
            program, path, environment, graceMilliseconds: program == .engine ? grace : Self.graceExtraMilliseconds,
            session.console,
            onOutput: { [happenings] words in
                guard program == .api, let address = words.first(where: { $0.hasPrefix("http://") }) else { return }
                happenings.update { $0.append(.address(address)) }
            },
            onEnd: { [happenings] exit, reason in happenings.update { $0.append(.ended(program, exit, reason)) } })
        slots[program] = slot
        write()
        if program == .api, port != 0 { watchReadiness() }
    }

    /// Looks until the api of the present start answers.
    private func watchReadiness() {
        guard let number = slots[.api]?.starts else { return }
        let (url, happenings) = (connection.url, happenings)
        Thread.start("ready") {
            let clock = SystemClock()
            let end = clock.monotonicMilliseconds() + Self.readyMilliseconds
            guard let transport = try? SocketTransport(url: url) else { return }
            let client = APIClient(transport: transport, credential: .bearer(nil))
            while clock.monotonicMilliseconds() < end {
                let health = try? client.call(.health, Nothing(), deadlineMilliseconds: Self.healthMilliseconds)
                if health?.ok == true { return happenings.update { $0.append(.ready(number)) } }
                _ = Monitor(()).wait(milliseconds: Self.pollMilliseconds) { _ in Bool?.none }
            }
            happenings.update { $0.append(.late(number)) }
        }
    }

    /// The engine first: it still has to report to the api.
    private func stopAll(_ state: Supervision.State) {
        supervision.state = state
        demo?.stop()
        write()
        for program in [Sibling.engine, .api] {
            slots[program]?.child?.stop()
            slots[program]?.child = nil
            slots[program]?.startAtMilliseconds = nil
            if slots[program] != nil { slots[program]?.record.state = .ended }
        }
        write()
    }

    // MARK: Getting ready

    private var url: String {
        let bound = environment["BIND_ADDRESS"].flatMap { $0.isEmpty ? nil : $0 } ?? "127.0.0.1"
        let host = bound == "0.0.0.0" ? "127.0.0.1" : bound == "::" ? "::1" : bound
        return host.contains(":") ? "http://[\(host)]:\(port)" : "http://\(host):\(port)"
    }

    private var grace: Int64 {
        (environment["ENGINE_GRACE_MS"].flatMap { Int64($0) } ?? Self.graceDefaultMilliseconds)
            + Self.graceExtraMilliseconds
    }

    private func health(_ connection: Connection) -> Health? {
        try? session.client(of: connection).call(
            .health, Nothing(), deadlineMilliseconds: Self.healthMilliseconds)
    }

    /// Until the engine has registered, or something else happens; one with an identity of its own does not register.
    private func awaitEngine(since begin: Timestamp) {
        guard (environment["ENGINE_ID"] ?? "").isEmpty, let client = try? session.client(of: connection) else { return }
        let deadline = session.clock.monotonicMilliseconds() + Self.registeredMilliseconds
        while session.clock.monotonicMilliseconds() < deadline {
            let engines = (try? client.call(.engines, Nothing(), deadlineMilliseconds: Self.healthMilliseconds))?
                .engines
            if engines?.contains(where: { $0.updatedAt >= begin.adding(milliseconds: -1000) }) == true { return }
            if happenings.wait(milliseconds: Self.pollMilliseconds * 2, until: { $0.isEmpty ? nil : true }) == true {
                return
            }
        }
    }

    private func announce() {
        let screen = session.console.output
        let door = door
        session.console.print("ui    \(screen.styled(door, .bold))")
        session.console.print("data  \(CleanText.line(connection.dataDirectory))")
        session.console.print(
            "try   \(screen.styled("\(prefix)aos status", .bold))   (Ctrl-C stops \(mode == .embedded ? "both" : "the api"))"
        )
        session.console.flush()
        if UICommand.isDesktop(session) { _ = UICommand.open(door, session) }
        if mode == .external {
            session.console.note(
                "aos up: no engine is started (\(Self.modeSetting)=external); one finds this api by"
                    + " ENGINE_API_BASE_URL=\(connection.url)")
        }
    }

    /// What a person opens first: a link that signs one browser in; where none can be made, the address.
    private var door: String {
        let link = try? session.client(of: connection).call(
            .createLoginLink, CreateLoginLink(), deadlineMilliseconds: Self.healthMilliseconds)
        return link?.url ?? connection.url
    }

    /// What `aos` needs in its environment to find this api.
    private var prefix: String {
        // Without a word about the address it is found by the data directory.
        var prefix = (session.environment["AOS_API_URL"] ?? "").isEmpty ? "" : "AOS_API_URL=\(connection.url) "
        let isTold = !(session.environment["AOS_DATA_DIR"] ?? "").isEmpty
        if isTold, let directory = environment["AOS_DATA_DIR"] {
            prefix = "AOS_DATA_DIR=\(ToolSummary.quoted(directory)) " + prefix
        }
        return prefix
    }

    // MARK: What it says of itself

    private func write() {
        let now = session.clock.monotonicMilliseconds()
        for (program, slot) in slots {
            var slot = slot
            slot.record.recentRestarts = slot.policy.recent(atMilliseconds: now)
            slots[program] = slot
        }
        let records = Sibling.allCases.compactMap { slots[$0]?.record }
        if ![.fatal, .stopping].contains(supervision.state) {
            let isDegraded = records.contains { $0.recentRestarts > 0 || $0.state == .backingOff }
            let isRunning = records.allSatisfy { $0.state == .running }
            supervision.state = isDegraded ? .degraded : isRunning ? .running : .starting
        }
        supervision.programs = records
        guard supervision != written else { return }
        supervision.updatedAt = session.now
        written = supervision
        do { try file.write(supervision) } catch {
            session.console.note("aos up: how it stands cannot be written down: \(error)")
        }
    }

    private static func short(_ exit: ProcessEnd.Exit?) -> String {
        switch exit {
        case .code(let code): "exit \(code)"
        case .signal(let signal): "signal \(signal)"
        case nil: "not started"
        }
    }

    private static func words(_ exit: ProcessEnd.Exit?, _ reason: String) -> String {
        switch exit {
        case .code(let code): "ended by itself with exit code \(code)"
        case .signal(let signal): "was ended by signal \(signal)"
        case nil: "could not be started (\(reason))"
        }
    }
}

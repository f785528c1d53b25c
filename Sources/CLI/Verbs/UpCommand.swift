import APIClient
import HTTP
import HTTPClient
import JSON
import Platform
import Shared

enum UpCommand {
    static let all: [Command] = [up]

    static let up = Command(
        "up", "Start the api and an engine, here, until Ctrl-C",
        details: """
            For a laptop; on a server use the systemd units or compose. Both programs get this environment. Their log lines
            come to standard error. Ctrl-C lets running calls finish (ENGINE_GRACE_MS), stops the engine, then the api.
            When one of them ends by itself the other is stopped, and the exit code is that of the first.
            """,
        options: [.port],
        examples: [
            Example("aos up", "on port 7717, data in ~/.local/share/aos"),
            Example("AOS_DATA_DIR=/tmp/trial aos up --port 0", "a trial that touches nothing"),
        ]
    ) { invocation, session in
        try Launch(session, port: invocation.integer(.port)).run()
    }
}

/// The api and the engine as children of this program.
private final class Launch {
    private static let readyMilliseconds: Int64 = 20_000
    private static let registeredMilliseconds: Int64 = 5_000
    private static let pollMilliseconds: Int64 = 25
    private static let healthMilliseconds = 2_000
    /// Beyond the grace that the engine gives its calls and the api its connections.
    private static let graceExtraMilliseconds: Int64 = 20_000
    private static let graceDefaultMilliseconds: Int64 = 10_000
    private static let setpriv = "/usr/bin/setpriv"

    private enum Happening: Sendable {
        case ended(Sibling, ProcessEnd?, String)
        case interrupted
        case address(String)
    }

    private let session: Session
    private var environment: [String: String]
    private let port: Int
    private let happenings = Monitor<[Happening]>([])

    init(_ session: Session, port: Int?) throws {
        self.session = session
        environment = session.environment
        if let port { environment["PORT"] = String(port) }
        self.port = environment["PORT"].flatMap { Int($0) } ?? 7717
        // Both read it; a relative path means the folder this program was started in.
        if let directory = environment["AOS_DATA_DIR"], !directory.isEmpty, !directory.hasPrefix("/") {
            environment["AOS_DATA_DIR"] = "\(Files.resolved(".") ?? ".")/\(directory)"
        }
        if session.console.error.isTerminal, environment["AOS_LOG_FORMAT"] == nil {
            environment["AOS_LOG_FORMAT"] = "text"
        }
    }

    func run() throws -> ExitCode {
        let paths = try (api: Sibling.api.found(environment), engine: Sibling.engine.found(environment))
        environment["AOS_API_URL"] = nil
        var connection = try Connection.read(environment)
        connection.url = url
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
        let api = Child(.api, paths.api, environment, grace: Self.graceExtraMilliseconds, self)
        // Port 0: the api says which one it got.
        if port == 0 {
            guard
                let address = try wait(
                    Self.readyMilliseconds, api: api, engine: nil,
                    { happening in
                        if case .address(let address) = happening { address } else { nil }
                    })
            else { return try end(api, nil, "the api did not say where it listens") }
            connection.url = address
        }
        let deadline = session.clock.monotonicMilliseconds() + Self.readyMilliseconds
        while health(connection)?.ok != true {
            if let over = try happened(api: api, engine: nil) { return over }
            guard session.clock.monotonicMilliseconds() < deadline else {
                return try end(api, nil, "the api is not ready after \(Self.readyMilliseconds / 1000) s")
            }
            _ = happenings.wait(milliseconds: Self.pollMilliseconds) { $0.isEmpty ? nil : true }
        }
        let begin = session.now
        var engineEnvironment = environment
        engineEnvironment["ENGINE_API_BASE_URL"] = connection.url
        let engine = Child(.engine, paths.engine, engineEnvironment, grace: grace, self)
        // The token file is there now.
        let settled = try Connection.read(environment)
        (connection.token, connection.tokenSource) = (settled.token, settled.tokenSource)
        awaitEngine(connection, since: begin)
        if let over = try happened(api: api, engine: engine) { return over }
        announce(connection)
        while true {
            _ = happenings.wait { $0.isEmpty ? nil : true }
            if let over = try happened(api: api, engine: engine) { return over }
        }
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

    /// Until the engine has registered; one with an identity of its own does not.
    private func awaitEngine(_ connection: Connection, since begin: Timestamp) {
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

    private func announce(_ connection: Connection) {
        let screen = session.console.output
        let isDefault = connection.url == Connection.urlDefault && (session.environment["AOS_API_URL"] ?? "").isEmpty
        var prefix = isDefault ? "" : "AOS_API_URL=\(connection.url) "
        if let directory = environment["AOS_DATA_DIR"], !directory.isEmpty {
            prefix = "AOS_DATA_DIR=\(ToolSummary.quoted(directory)) " + prefix
        }
        session.console.print("api   \(screen.styled(connection.url, .bold))")
        session.console.print("data  \(CleanText.line(connection.dataDirectory))")
        session.console.print("try   \(screen.styled("\(prefix)aos status", .bold))   (Ctrl-C stops both)")
        session.console.flush()
    }

    // MARK: Ending

    private func wait<Found>(
        _ milliseconds: Int64, api: Child, engine: Child?, _ find: (Happening) -> Found?
    ) throws -> Found? {
        happenings.wait(milliseconds: milliseconds) { list in
            if let index = list.firstIndex(where: { find($0) != nil }) { return .some(find(list.remove(at: index))) }
            return list.contains { if case .address = $0 { false } else { true } } ? .some(nil) : nil
        } ?? nil
    }

    /// What ends everything, if it has happened.
    private func happened(api: Child, engine: Child?) throws -> ExitCode? {
        let next = happenings.update { list -> Happening? in list.isEmpty ? nil : list.removeFirst() }
        switch next {
        case nil, .address: return nil
        case .interrupted:
            session.console.note("aos up: stopping; running calls may finish first")
            return try end(api, engine, nil)
        case .ended(let program, let how, let reason):
            _ = try end(api, engine, nil)
            let text =
                switch how?.exit {
                case .code(let code): "ended by itself with exit code \(code)"
                case .signal(let signal): "was ended by signal \(signal)"
                case nil: "could not be started: \(reason)"
                }
            guard case .code(let code)? = how?.exit, let exit = ExitCode(rawValue: Int32(code)), exit != .ok else {
                throw Failure(.failed, "the \(program.rawValue) \(text)")
            }
            throw Failure(
                exit, "the \(program.rawValue) \(text)", next: exit == .configuration ? ["aos help environment"] : [])
        }
    }

    /// The engine first: it still has to report to the api.
    private func end(_ api: Child, _ engine: Child?, _ failure: String?) throws -> ExitCode {
        engine?.stop()
        api.stop()
        if let failure { throw Failure(.failed, failure) }
        return .ok
    }

    /// One program, with a thread that stays with it.
    private final class Child {
        private let signal = StopSignal()
        private let thread: Thread

        init(_ program: Sibling, _ path: String, _ environment: [String: String], grace: Int64, _ launch: Launch) {
            // Should this program be killed, its children are told to end.
            let guardian = Files.exists(Launch.setpriv) ? [Launch.setpriv, "--pdeathsig", "TERM", "--"] : []
            var command = ProcessCommand(
                guardian.first ?? path, guardian + [guardian.isEmpty ? program.rawValue : path],
                environment: environment)
            command.graceMilliseconds = grace
            let lines = LineForwarder(program, launch.session.console)
            let (happenings, signal) = (launch.happenings, signal)
            let runner = launch.session.runner
            thread = Thread.start(program.rawValue) { [command] in
                var lines = lines
                do throws(SystemError) {
                    let end = try runner.run(command, stop: signal) { stream, bytes in
                        switch stream {
                        case .standardError: lines.take(bytes)
                        case .standardOutput:
                            let text = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
                            if let address = text.first(where: { $0.hasPrefix("http://") }) {
                                happenings.update { $0.append(.address(String(address))) }
                            }
                        }
                    }
                    lines.end()
                    happenings.update { $0.append(.ended(program, end, "")) }
                } catch {
                    happenings.update { $0.append(.ended(program, nil, "\(error)")) }
                }
            }
        }

        /// Asks it to end, and waits for it.
        func stop() {
            signal.stop(.drained)
            thread.join()
        }
    }
}

/// Hands a program's log on, line by line, with its name before each.
struct LineForwarder: Sendable {
    private static let lineBytesMax = 16 << 10

    private let prefix: String
    private let console: Console
    private var rest: [UInt8] = []

    init(_ program: Sibling, _ console: Console) {
        let name = TextWidth.padded(program.rawValue, to: 6)
        prefix = console.error.styled(
            "\(name) \(console.error.hasUnicode ? "│" : "|") ", program == .api ? .cyan : .magenta)
        self.console = console
    }

    mutating func take(_ bytes: ArraySlice<UInt8>) {
        rest += bytes
        while let end = rest.firstIndex(of: UInt8(ascii: "\n"))
            ?? (rest.count > Self.lineBytesMax ? rest.count - 1 : nil)
        {
            say(rest[..<end])
            rest.removeSubrange(...end)
        }
    }

    mutating func end() {
        if !rest.isEmpty { say(rest[...]) }
        rest = []
    }

    private func say(_ line: ArraySlice<UInt8>) {
        console.note(prefix + CleanText.line(String(decoding: line, as: UTF8.self)))
    }
}

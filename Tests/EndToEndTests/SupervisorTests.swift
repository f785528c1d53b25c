import APIClient
import CLinux
import HTTPClient
import JSON
import Platform
import PostgresTestSupport
import Shared
import Testing

extension EndToEnd {
    /// `aos up` with the real programs, really killed.
    @Suite(.serialized) struct SupervisorTests {
        @Test func `kill -9 of the api, then of the engine, is survived: the same address, and every run ends`() throws
        {
            let up = try Up()
            try up.start()
            let client = up.client()
            let room = try client.call(.createRoom, CreateRoom(title: "room")).roomID
            let first = try up.submit("first", in: room)
            try #require(eventually { try up.status(of: first) == .running })
            let watcher = try up.launch(["logs", "-f", first.rawValue, "--json", "event_id,event_type"])
            try #require(try watcher.firstLine(milliseconds: 10_000) != nil)
            let api = try #require(up.child("api"))
            kill(api, SIGKILL)
            try #require(eventually { up.child("api").map { $0 != api } ?? false }, "no other api:\n\(up.log)")
            try #require(
                eventually { (try? client.call(.health, Nothing()))?.ok == true }, "not there again:\n\(up.log)")
            try up.letGo("first")
            try #require(eventually(milliseconds: 30_000) { try up.status(of: first) == .succeeded }, "\(up.log)")

            // Who looked on has missed nothing, and saw nothing twice.
            let lines = try watcher.wholeOutput().split(separator: "\n")
            #expect(watcher.waitForEnd(milliseconds: 10_000) == .code(0), "\(watcher.logTail())")
            let seen = try lines.map { try JSON.parse(String($0))["event_id"]?.stringValue }
            let happened = try client.call(.events, Nothing(), query: [("run_id", first.rawValue), ("limit", "200")])
                .events
            let end = try #require(happened.firstIndex { $0.eventType == RunCompleted.type })
            // The first line was read before.
            #expect(seen == happened[1...end].map(\.eventID.rawValue))

            let second = try up.submit("second", in: room)
            try #require(eventually { try up.status(of: second) == .running })
            // Ctrl-C leaves the view; the run goes on.
            let left = try up.launch(["logs", "-f", second.rawValue])
            try #require(try left.firstLine(milliseconds: 10_000) != nil)
            left.send(SIGINT)
            #expect(left.waitForEnd(milliseconds: 10_000) == .code(2))
            #expect(try up.status(of: second) == .running)
            let engine = try #require(up.child("engine"))
            kill(engine, SIGKILL)
            try #require(eventually { up.child("engine").map { $0 != engine } ?? false }, "no other engine:\n\(up.log)")
            try up.letGo("second")
            try #require(eventually(milliseconds: 30_000) { try up.status(of: second) == .succeeded }, "\(up.log)")

            // Other commands find it by its data directory. It is told: to whoever asks the api, and on the screen.
            let health = try client.call(.checkHealth, CheckHealth(schemaVersion: SystemHealth.version))
            #expect(health.summary.topIssues.contains { $0.kind == .supervisorDegraded && $0.severity == .degraded })
            let details = health.checks["optional"]?["supervisor"]?["details"]
            #expect(details?["mode"] == "embedded" && details?["state"] == "degraded")
            #expect(details?["programs"]?.arrayValue?.map { $0["restarts"] } == [1, 1])
            #expect(details?["programs"]?.arrayValue?.map { $0["last_exit"] } == ["signal 9", "signal 9"])
            let status = try up.aos(["status"])
            #expect(status.exit == .code(0))
            #expect(status.output.contains("embedded, degraded; api restarted 1x, last: signal 9; engine restarted 1x"))

            let children = ["api", "engine"].compactMap { up.child($0) }
            #expect(children.count == 2)
            up.program.send(SIGINT)
            #expect(up.program.waitForEnd(milliseconds: 20_000) == .code(0), "\(up.log)")
            for child in children { #expect(Processes.isGone(child)) }
            #expect(!Files.exists("\(up.data)/\(Supervision.fileName)"), "a clean end leaves no state behind")
        }

        @Test func `a program that dies again and again ends everything, with the reason, here and in aos status`()
            throws
        {
            let up = try Up()
            try up.start()
            var killed: Set<Int32> = []
            while up.program.isRunning, killed.count < 10 {
                guard let engine = up.child("engine"), !killed.contains(engine) else {
                    pause(milliseconds: 5)
                    continue
                }
                kill(engine, SIGKILL)
                killed.insert(engine)
            }
            // Five restarts, and the death after them.
            #expect(killed.count == 6, "\(up.log)")
            #expect(up.program.waitForEnd(milliseconds: 20_000) == .code(1))
            #expect(up.child("api") == nil)
            #expect(up.log.contains("the engine was ended by signal 9: it has ended 6 times within 60 s"), "\(up.log)")
            let status = try up.aos(["status"], ["AOS_API_URL": up.url])
            #expect(status.exit == .code(1))
            #expect(status.log.contains("`aos up` gave up"), "\(status.log)")
            // The next one begins anew.
            try up.start()
            #expect(up.program.terminate(milliseconds: 20_000) == .code(0))
        }

        @Test(arguments: [
            ["RUN_LEASE_TTL_MS": "soon"], ["ENGINE_GRACE_MS": "soon"], ["DESKTOP_RUNNER_MODE": "sideways"],
        ])
        func `a wrong setting is fatal at once, exit 78, and leaves nothing running`(settings: [String: String]) throws
        {
            let up = try Up()
            try up.launch(settings)
            #expect(up.program.waitForEnd(milliseconds: 20_000) == .code(78), "\(up.log)")
            #expect(up.log.contains(settings.keys.first ?? ""), "\(up.log)")
            #expect(up.child("api") == nil && up.child("engine") == nil)
        }

        @Test func `external mode looks after the api alone, and somebody else's engine does the work`() throws {
            let up = try Up()
            try up.start(["DESKTOP_RUNNER_MODE": "external"])
            #expect(up.child("api") != nil && up.child("engine") == nil)
            let room = try up.client().call(.createRoom, CreateRoom(title: "room")).roomID
            let run = try up.submit("run", in: room)
            try up.letGo("run")
            let engine = try RunningProgram.start(
                "engine",
                environment: [
                    "AOS_DATA_DIR": up.data, "ENGINE_API_BASE_URL": up.url, "HOME": up.folder,
                ], logPath: "\(up.folder)/engine.log")
            #expect(try eventually(milliseconds: 20_000) { try up.status(of: run) == .succeeded })
            #expect(engine.terminate(milliseconds: 20_000) == .code(0))
            #expect(up.program.terminate(milliseconds: 20_000) == .code(0))
        }

        @Test func `the demonstration works for real, waits for an approval, and nothing leaves before it`() throws {
            let up = try Up()
            try up.start(["AOS_LOG_LEVEL": "info"], ["--demo"])
            let client = up.client()
            var pending: Approval?
            try #require(
                eventually(milliseconds: 20_000) {
                    pending = try client.call(.approvals, Nothing(), query: [("status", "pending")]).approvals.first
                    return pending != nil
                }, "\(up.log)")
            let approval = try #require(pending)
            let run = try #require(approval.runID)
            let plan = try client.call(.run, Nothing(), ["run_id": run.rawValue]).run.input["plan"]
            let folder = try #require(plan?["workdir"]?["path"]?.stringValue)
            defer { try? Files.removeTree(folder) }
            #expect(!Files.exists("\(folder)/received.txt"))
            let body = DecideApproval(decision: ApprovalDecision.approve.rawValue)
            _ = try client.call(.decideApproval, body, ["approval_id": approval.approvalID.rawValue])
            #expect(try eventually(milliseconds: 20_000) { try up.status(of: run) == .succeeded }, "\(up.log)")
            let received = try Files.read("\(folder)/received.txt", bytesMax: 4096)
            #expect(received == (try Files.read("\(folder)/report.txt", bytesMax: 4096)))
            #expect(String(decoding: received, as: UTF8.self).hasPrefix("total: 555\n"))
            #expect(up.program.terminate(milliseconds: 20_000) == .code(0), "\(up.log)")
        }

        @Test func `a second one on the same data is refused, and so is one on a port that an api has`() throws {
            let up = try Up()
            try up.start()
            let again = try up.aos(["up", "--port", "0"])
            #expect(again.exit == .code(1) && again.log.contains("another `aos up` looks after"), "\(again.log)")
            let port = try #require(up.url.split(separator: ":").last.map(String.init))
            let other = try up.aos(["up", "--port", port], ["AOS_DATA_DIR": "\(up.folder)/other"])
            #expect(other.exit == .code(1) && other.log.contains("is running already"), "\(other.log)")
            #expect(try up.client().call(.health, Nothing()).ok)
            #expect(up.program.terminate(milliseconds: 20_000) == .code(0))
        }
    }
}

/// `aos up` on a data folder of its own.
private final class Up {
    let folder: String
    let data: String
    private let place: ScratchDatabase.Place
    private(set) var program: RunningProgram!
    private(set) var url = ""

    init() throws {
        place = try ScratchDatabase.Place()
        let name = SystemEntropy().bytes(8).map { String($0, radix: 16) }.joined()
        try Files.makeFolder("/tmp/aos-e2e-\(name)/site")
        folder = "/tmp/aos-e2e-\(name)"
        data = "\(folder)/data"
    }

    deinit {
        if let program, program.isRunning { _ = program.terminate(milliseconds: 20_000) }
        try? Files.removeTree(folder)
    }

    private func environment(_ more: [String: String]) -> [String: String] {
        var environment = ["AOS_DATA_DIR": data, "HOME": folder, "RUN_LEASE_TTL_MS": "1000", "ENGINE_GRACE_MS": "1000"]
        environment["DATABASE_URL"] = place.url
        return environment.merging(more) { $1 }
    }

    func launch(_ settings: [String: String] = [:], _ options: [String] = []) throws {
        program = try RunningProgram.start(
            "aos", ["up", "--port", "0"] + options, environment: environment(settings), logPath: "\(folder)/up.log")
    }

    /// Starts it, and waits for its three lines.
    func start(_ settings: [String: String] = [:], _ options: [String] = []) throws {
        try launch(settings, options)
        var lines: [String] = []
        for _ in 0..<3 {
            lines.append(try #require(try program.firstLine(milliseconds: 20_000), "no line after \(lines):\n\(log)"))
        }
        try #require(
            lines[0].hasPrefix("ui    http://") && lines[1] == "data  \(data)" && lines[2].hasPrefix("try   "),
            "\(lines)")
        url = String(lines[0].dropFirst(6))
        if let slash = url.dropFirst("http://".count).firstIndex(of: "/") { url = String(url[..<slash]) }
    }

    var log: String { program.logTail() }

    func client() -> APIClient {
        let token = (try? Files.read("\(data)/operator.token", bytesMax: 4096)) ?? []
        let text = String(decoding: token, as: UTF8.self).filter { !$0.isWhitespace }
        guard let transport = try? SocketTransport(url: url) else { preconditionFailure("\(url) is no address") }
        return APIClient(transport: transport, credential: .bearer(text))
    }

    /// The pid of the program that it has started; nil while there is none.
    func child(_ name: String) -> Int32? {
        ((try? Files.list("/proc")) ?? []).compactMap { Int32($0) }.first { pid in
            guard let bytes = try? Files.read("/proc/\(pid)/stat", bytesMax: 4096), !Processes.isGone(pid) else {
                return false
            }
            let text = String(decoding: bytes, as: UTF8.self)
            guard text.contains("(\(name))"), let end = text.lastIndex(of: ")") else { return false }
            let parts = text[text.index(after: end)...].split(separator: " ")
            return parts.count > 1 && Int32(parts[1]) == program.pid
        }
    }

    /// A run whose only step lasts until ``letGo(_:)``.
    func submit(_ name: String, in room: RoomID) throws -> RunID {
        let plan = Plans.plan(
            [Plans.script("wait", "until [ -e \(name) ]; do sleep 0.05; done", ["effect": "none"])],
            workdir: "\(folder)/site")
        return try client().call(
            .createRun, CreateRun(roomID: room, title: name, input: ["plan": plan])
        ).runID
    }

    func letGo(_ name: String) throws { try Files.writeAtomically([], to: "\(folder)/site/\(name)", mode: 0o644) }

    func status(of run: RunID) throws -> RunStatus? {
        try? client().call(.run, Nothing(), ["run_id": run.rawValue]).run.status
    }

    /// Another command on the same data.
    func launch(_ words: [String]) throws -> RunningProgram {
        let logPath = "\(folder)/aos-\(words[0])-\(SystemEntropy().integer(in: 0...Int64.max / 2)).log"
        return try RunningProgram.start("aos", words, environment: environment([:]), logPath: logPath)
    }

    /// Another command on the same data, to its end.
    func aos(_ words: [String], _ more: [String: String] = [:]) throws -> (
        exit: RunningProgram.Exit?, output: String, log: String
    ) {
        let environment = environment(more)
        let logPath = "\(folder)/aos-\(words[0])-\(SystemEntropy().integer(in: 0...Int64.max / 2)).log"
        let program = try RunningProgram.start("aos", words, environment: environment, logPath: logPath)
        let output = try program.wholeOutput()
        return (program.waitForEnd(milliseconds: 30_000), output, program.logTail())
    }
}

import APIClient
import CLinux
import CSQLite
import HTTP
import HTTPClient
import JSON
import Platform
import PostgresTestSupport
import Shared
import Testing

extension EndToEnd {
    /// What systemd is told by the real programs (sd_notify(3)).
    @Suite(.serialized) struct ServiceManagerTests {
        private static let killSwitch = "POLICY_KILL_SWITCH_EXTERNAL_WRITE"

        /// Who watches wants to hear of it at least so often.
        private static func watched(_ socket: NotifySocket, everyMs: Int) -> [String: String] {
            socket.environment.merging(["WATCHDOG_USEC": String(everyMs * 1000)]) { $1 }
        }

        private static func write(_ text: String, to path: String) throws {
            try Files.writeAtomically(Array(text.utf8), to: path)
        }

        @Test func `the api is ready when it answers, says that it stops, and not before`() throws {
            let stage = try Stage()
            let socket = try NotifySocket(in: stage.folder)
            let port = try freePort()
            // The journal says which file it reads: lines then begin with their priority.
            let log = "\(stage.folder)/api.log"
            try Self.write("", to: log)
            var file = stat()
            try #require(stat(log, &file) == 0)
            let environment = [
                "HOME": stage.folder, "AOS_DATA_DIR": stage.data, "PORT": String(port),
                "JOURNAL_STREAM": "\(file.st_dev):\(file.st_ino)",
            ].merging(socket.environment) { $1 }
            let api = try RunningProgram.start("api", environment: environment, logPath: log)
            let ready = try #require(socket.wait(for: "READY=1"), "\(api.logTail())")
            // The first try, without patience.
            let address = try #require(SocketAddress(numeric: "127.0.0.1", port: port))
            let answer = try SocketTransport(pinned: address, hostHeader: "\(address)").send(
                HTTPClientRequest(.get, "/readyz"))
            #expect(answer.status == .ok)
            #expect(ready.lines == ["READY=1", "STATUS=serving http://127.0.0.1:\(port)"])
            #expect(socket.all.count == 1)
            #expect(api.terminate(milliseconds: 20_000) == .code(0))
            #expect(socket.all.map(\.lines.first) == ["READY=1", "STOPPING=1"])
            let lines = api.logTail().split(separator: "\n")
            #expect(!lines.isEmpty && lines.allSatisfy { $0.hasPrefix("<6>{\"time\":") }, "\(lines)")
        }

        @Test func `a reload is over when the kill switch of the env file is in force`() throws {
            let stage = try Stage()
            let socket = try NotifySocket(in: stage.folder)
            let file = "\(stage.folder)/agentos.env"
            try Self.write("\(Self.killSwitch)=0\n", to: file)
            let environment = socket.environment.merging(["AOS_ENV_FILE": file]) { $1 }
            try stage.startAPI(environment)
            try #require(socket.wait(for: "READY=1") != nil)
            for (value, engaged) in [("1", true), ("0", false), ("1", true)] {
                let before = socket.all.count
                try Self.write("\(Self.killSwitch)=\(value)\n", to: file)
                stage.api.send(SIGHUP)
                try #require(socket.wait(for: "READY=1", from: before) != nil, "\(stage.api.logTail())")
                #expect(try stage.client().call(.killSwitch, Nothing()).engaged == engaged)
                let said = socket.all.dropFirst(before).map { $0.lines[0] }
                #expect(said == ["RELOADING=1", "READY=1"])
            }
            // A file that cannot be read changes nothing, and is said.
            let before = socket.all.count
            try Self.write("not a setting\n", to: file)
            stage.api.send(SIGHUP)
            let after = try #require(socket.wait(for: "READY=1", from: before))
            #expect(after.lines[1].contains("the last reload failed"))
            #expect(try stage.client().call(.killSwitch, Nothing()).engaged)
        }

        @Test func `the api is alive while its loop and its writer get round to it`() throws {
            let stage = try Stage()
            let socket = try NotifySocket(in: stage.folder)
            try stage.startAPI(Self.watched(socket, everyMs: 600))
            #expect(socket.wait(for: "WATCHDOG=1", count: 4, milliseconds: 10_000))
            let times = socket.all.filter { $0.lines == ["WATCHDOG=1"] }.map(\.atMs)
            let largest = zip(times, times.dropFirst()).map { $1 - $0 }.max() ?? 0
            #expect(largest < 600, "\(times)")
            EndToEnd.say("watchdog of 600 ms: signs of life at most \(largest) ms apart")
            // A writer that hangs: somebody else holds the file, and it waits.
            if stage.place.url == nil {
                let lock = try FileLock("\(stage.data)/aos.db")
                let silent = try silence(socket)
                #expect(silent, "signs of life while the writer hangs: \(socket.count("WATCHDOG=1"))")
                lock.release()
                #expect(socket.wait(for: "WATCHDOG=1", count: socket.count("WATCHDOG=1") + 1, milliseconds: 10_000))
            }
            // A process that does nothing at all.
            stage.api.send(SIGSTOP)
            #expect(try silence(socket))
            stage.api.send(SIGCONT)
            #expect(socket.wait(for: "WATCHDOG=1", count: socket.count("WATCHDOG=1") + 2, milliseconds: 10_000))
        }

        /// Whether nothing comes for longer than the watchdog is patient; one sign may have been on its way.
        private func silence(_ socket: NotifySocket) throws -> Bool {
            let before = socket.count("WATCHDOG=1")
            return !socket.wait(for: "WATCHDOG=1", count: before + 2, milliseconds: 1_500)
        }

        @Test func `an engine is ready when it works, known by its credential, and says what it does`() throws {
            let stage = try Stage()
            try stage.startAPI()
            let socket = try NotifySocket(in: stage.folder)
            let added = try stage.client().call(.registerEngine, RegisterEngine(actorID: "unit", engineName: "unit"))
            let secrets = "\(stage.folder)/secrets"
            try Files.makeFolder(secrets)
            let file = "\(secrets)/ENGINE_CREDENTIAL"
            try Self.write(
                "ENGINE_ID=\(added.engine.engineID)\nENGINE_AUTH_TOKEN=\(added.token.engineToken ?? "")\n", to: file)
            let envFile = "\(stage.folder)/agentos.env"
            try Self.write("\(Self.killSwitch)=0\n", to: envFile)
            // Its own data folder has no operator token: the credential is all it has.
            let environment = Self.watched(socket, everyMs: 600).merging([
                "ENGINE_CREDENTIAL_FILE": file, "AOS_DATA_DIR": "\(stage.folder)/engine", "AOS_ENV_FILE": envFile,
                "ENGINE_SECRETS_DIR": secrets,
            ]) { $1 }
            let engine = try stage.startEngine("unit", environment)
            try #require(socket.wait(for: "READY=1") != nil, "\(engine.logTail())")
            #expect(try stage.client().call(.engines, Nothing()).engines.count == 1)
            // Signs of life, also while it waits in its long polls.
            #expect(socket.wait(for: "WATCHDOG=1", count: 4, milliseconds: 10_000))
            // It can do its work, and no plan gets what it is known by.
            let room = try stage.room()
            let say = Plans.step("say", "shell", ["argv": ["echo", "x"]])
            let run = try stage.submit(Plans.plan([say], workdir: stage.site), in: room)
            #expect(try stage.wait(for: run).status == .succeeded, "\(stage.story(run))")
            let take = say.settingWith("env", ["T": "${{ secrets.ENGINE_CREDENTIAL }}"])
            let greedy = try stage.submit(Plans.plan([take], workdir: stage.site), in: room)
            #expect(try stage.wait(for: greedy).status == .failed)
            let failure = try stage.events(of: greedy).first { $0.eventType == "run.failed" }
            #expect(failure?.data["error"]?["code"] == "secret_not_found", "\(stage.story(greedy))")
            let before = socket.all.count
            try Self.write("\(Self.killSwitch)=1\n", to: envFile)
            engine.send(SIGHUP)
            try #require(socket.wait(for: "READY=1", from: before) != nil)
            #expect(
                socket.all.dropFirst(before).map { $0.lines[0] }.filter { $0 != "WATCHDOG=1" }
                    == ["RELOADING=1", "READY=1"])
            #expect(engine.logTail().contains("kill_switch"))
            #expect(engine.terminate(milliseconds: 40_000) == .code(0))
            #expect(socket.count("STOPPING=1") == 1)
        }

        @Test func `a watchdog is silent while one part does not answer, and speaks again after it has`() throws {
            let folder = "/tmp/aos-e2e-watchdog-\(SystemEntropy().bytes(4).map { String($0, radix: 16) }.joined())"
            try Files.makeFolder(folder)
            defer { try? Files.removeTree(folder) }
            let socket = try NotifySocket(in: folder)
            let manager = ServiceManager(Self.watched(socket, everyMs: 40))
            let (gate, open) = (Monitor(false), Monitor<[@Sendable () -> Void]>([]))
            let watchdog = Watchdog(
                manager,
                asks: [
                    { $0() },
                    { answer in
                        if gate.read({ $0 }) { answer() } else { open.update { $0.append(answer) } }
                    },
                ])
            watchdog.start()
            #expect(open.wait(milliseconds: 5_000) { $0.isEmpty ? nil : true } == true)
            #expect(socket.wait(for: "WATCHDOG=1", milliseconds: 300) == nil)
            gate.update { $0 = true }
            for answer in open.read({ $0 }) { answer() }
            #expect(socket.wait(for: "WATCHDOG=1", count: 3, milliseconds: 5_000))
            watchdog.stop()
        }

        @Test func `a watchdog that is meant for another process, or for none, is left alone`() {
            #expect(ServiceManager(["WATCHDOG_USEC": "1000000"]).watchdogMilliseconds == nil)
            let one = ["NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"]
            #expect(ServiceManager(one, processID: 8).watchdogMilliseconds == nil)
            #expect(ServiceManager(one, processID: 7).watchdogMilliseconds == 30_000)
            #expect(ServiceManager(["NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "x"]).watchdogMilliseconds == nil)
        }
    }
}

/// A port that nobody listens on, for a program that shall not say where it listens.
private func freePort() throws -> UInt16 {
    let socket = try TCP.listen(at: try #require(SocketAddress(numeric: "127.0.0.1", port: 0)))
    return try #require(TCP.localAddress(of: socket)).port
}

/// Holds SQLite's lock for writing, as another program with the file open would.
private final class FileLock {
    private var handle: OpaquePointer?

    init(_ path: String) throws {
        try #require(sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE, nil) == SQLITE_OK)
        sqlite3_busy_timeout(handle, 5_000)
        try #require(sqlite3_exec(handle, "BEGIN IMMEDIATE", nil, nil, nil) == SQLITE_OK)
    }

    deinit { sqlite3_close_v2(handle) }

    func release() { sqlite3_exec(handle, "ROLLBACK", nil, nil, nil) }
}

import APIClient
import Engine
import HTTP
import HTTPClient
import JSON
import Platform
import Shared
import Testing

/// A folder that goes with the test.
final class TemporaryFolder: Sendable {
    let path: String

    init() {
        let name = SystemEntropy().bytes(8).map { String($0, radix: 16) }.joined()
        let path = "/tmp/aos-engine-test-\(name)"
        try? Files.makeFolder(path)
        self.path = Files.resolved(path) ?? path
    }

    deinit { try? Files.removeTree(path) }

    func write(_ name: String, _ text: String, mode: UInt32 = 0o644) {
        let (folder, _) = Files.split("\(path)/\(name)")
        try? Files.makeFolder(folder)
        try? Files.writeAtomically(Array(text.utf8), to: "\(path)/\(name)", mode: mode)
    }

    func text(_ name: String) -> String? {
        (try? Files.read("\(path)/\(name)", bytesMax: 1 << 20)).map { String(decoding: $0, as: UTF8.self) }
    }
}

/// Exec without processes: answers as it is told.
struct ScriptedRunner: ProcessRunner {
    var answer: @Sendable (ProcessCommand, StopSignal) throws(SystemError) -> (ProcessEnd, String)

    func run(
        _ command: ProcessCommand, stop: StopSignal, output: (ProcessStream, ArraySlice<UInt8>) -> Void
    ) throws(SystemError) -> ProcessEnd {
        let (end, text) = try answer(command, stop)
        output(.standardOutput, Array(text.utf8)[...])
        return end
    }

    /// Says the arguments of the program; fails as often as told before.
    static func echo(failing times: Int = 0) -> ScriptedRunner {
        let left = Monitor(times)
        return ScriptedRunner { command, _ in
            let fails = left.update { left -> Bool in
                defer { left -= 1 }
                return left > 0
            }
            return (ProcessEnd(exit: .code(fails ? 1 : 0)), command.arguments.last ?? "")
        }
    }
}

/// One run with a fake api, and real or scripted processes.
struct Bench {
    let api: FakeAPI
    let folder = TemporaryFolder()
    var runner: any ProcessRunner = ScriptedRunner.echo()
    var sandbox = Sandbox(level: .none)
    var egress = EgressRule(allowed: [])
    var connect: @Sendable (SocketAddress, String) -> any HTTPTransport = {
        SocketTransport(pinned: $0, hostHeader: $1)
    }
    var killSwitch: @Sendable () -> Bool = { false }

    init(_ api: FakeAPI = FakeAPI()) { self.api = api }

    var client: APIClient { APIClient(transport: api, credential: .engine("eng_1", token: "engine-token-secret")) }

    var parts: WorkerParts {
        WorkerParts(
            client: client,
            tools: .standard(sandbox: sandbox, runner: runner, egress: egress, clock: SystemClock(), connect: connect),
            secrets: SecretStore(folder: folder.path + "/secrets"), ownSecrets: ["engine-token-secret"],
            workFolder: folder.path + "/work", hidden: [folder.path + "/data"], clock: SystemClock(),
            entropy: SeededEntropy(seed: 7), log: .silent, isKillSwitchEngaged: killSwitch)
    }

    static func claimed(_ plan: JSONValue, id: RunID = "run_1", ttlMs: Int64 = 30_000, attemptNo: Int = 1) -> ClaimedRun
    {
        ClaimedRun(
            runID: id, workspaceID: "ws_dev", status: .running, input: ["plan": plan, "name": "Ana"], tags: [],
            correlationID: "c", claimToken: "claim-secret", claimedByActorID: "engine", leaseExpiresAt: .zero,
            leaseHeartbeatAt: .zero, leaseTTLMs: ttlMs, attemptNo: attemptNo, startedAt: .zero, runningMs: 0)
    }

    static func plan(_ steps: [JSONValue], limits: JSONValue = [:], workdir: JSONValue? = nil) -> JSONValue {
        var plan: JSONObject = ["version": 1, "limits": limits, "steps": .array(steps)]
        if let workdir { plan["workdir"] = workdir }
        return .object(plan)
    }

    func hold(_ plan: JSONValue, attemptNo: Int = 1) -> HeldRun {
        HeldRun(Self.claimed(plan, attemptNo: attemptNo), clock: SystemClock())
    }

    func hold(_ run: ClaimedRun) -> HeldRun { HeldRun(run, clock: SystemClock()) }

    @discardableResult
    func run(_ steps: JSONValue..., limits: JSONValue = [:]) -> RunExecutor.End {
        RunExecutor(hold(Self.plan(steps, limits: limits)), parts).execute()
    }

    /// Runs it on a thread of its own; the closure waits for its end.
    func start(_ held: HeldRun) -> () -> RunExecutor.End? {
        let end = Monitor<RunExecutor.End?>(nil)
        let parts = parts
        Thread.start("test run") {
            let ended = RunExecutor(held, parts).execute(); end.update { $0 = ended }
        }
        return { end.wait(milliseconds: 20_000) { $0 } }
    }
}

func shell(_ id: String, _ argv: JSONValue, _ more: JSONObject = [:]) -> JSONValue {
    var step: JSONObject = ["id": .string(id), "tool": "shell", "with": ["argv": argv]]
    for (name, value) in more { step[name] = value }
    return .object(step)
}

func script(_ id: String, _ text: String, _ more: JSONObject = [:]) -> JSONValue {
    var step: JSONObject = ["id": .string(id), "tool": "shell", "with": ["script": .string(text)]]
    for (name, value) in more { step[name] = value }
    return .object(step)
}

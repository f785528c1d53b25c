import Engine
import JSON
import Platform
import Shared
import Testing

@Suite(.serialized) struct ShellToolTests {
    private let folder = TemporaryFolder()

    private func run(
        _ arguments: JSONValue, level: Sandbox.Level = .none, timeoutMs: Int64? = 20_000, secrets: [String] = [],
        hidden: [String] = []
    ) throws -> Result<JSONObject, ToolFailure> {
        let sandbox = Sandbox(level: level, hidden: hidden)
        let tools = ToolBox.standard(
            sandbox: sandbox, runner: SystemProcesses(), egress: EgressRule(allowed: []), clock: SystemClock())
        let workdir = Workdir(path: folder.path, folder: try Folder(folder.path), isTemporary: false)
        let input = ToolInput(
            runID: "run_1", stepID: "step_\(SystemEntropy().integer(in: 0...1 << 40))".identifier, arguments: arguments,
            workdir: workdir, timeoutMs: timeoutMs, masker: Masker(secrets))
        return try tools[.shell]!.prepare(input).run(PreparedCall.Permit())
    }

    private func failure(_ result: Result<JSONObject, ToolFailure>) -> ToolFailure? {
        if case .failure(let failure) = result { failure } else { nil }
    }

    @Test func `a program that ends well gives its output`() throws {
        let output = try run(["argv": ["echo", "a b", "$HOME"]]).get()
        #expect(output["stdout"] == "a b $HOME\n")
        #expect(output["exit_code"] == 0)
        #expect(output["sandbox"] == "none")
    }

    @Test func `another exit status than 0 is a failure with the end of what was said`() throws {
        let failed = failure(try run(["script": "echo why >&2; exit 4"]))
        #expect(failed?.code == "exit_status")
        #expect(failed?.details["exit_code"] == 4)
        #expect(failed?.details["stderr_tail"] == "why\n")
        #expect(failed?.isRetryable == true)
        #expect(failed?.isUncertain == false)
    }

    @Test func `a program killed by its time-out has failed with a known end`() throws {
        let failed = failure(try run(["script": "sleep 60"], timeoutMs: 150))
        #expect(failed?.code == "timeout")
        #expect(failed?.isUncertain == false)
    }

    @Test func `only the declared environment is there`() throws {
        let output = try run(["argv": ["env"], "env": ["MINE": "1"]]).get()
        let names = output["stdout"]!.stringValue!.split(separator: "\n").compactMap { $0.split(separator: "=").first }
        #expect(Set(names) == ["AOS_RUN_ID", "AOS_STEP_ID", "HOME", "LANG", "MINE", "PATH", "TMPDIR"])
    }

    @Test func `long output is cut in its middle and its size and digest are kept`() throws {
        let output = try run(["script": "echo START; head -c 200000 /dev/zero | tr '\\0' x; echo END"]).get()
        let text = output["stdout"]!.stringValue!
        #expect(text.utf8.count <= 64 << 10)
        #expect(text.hasPrefix("START"))
        #expect(text.hasSuffix("END\n"))
        #expect(output["stdout_truncated"] == true)
        #expect(output["stdout_bytes"] == 200_010)
        #expect(output["stdout_sha256"]?.stringValue?.utf8.count == 64)
        #expect(output["stderr_truncated"] == nil)
    }

    @Test func `output that is no text is recorded as text all the same`() throws {
        let output = try run(["script": "printf 'a\\377b\\000c'"]).get()
        #expect(output["stdout"] == "a\u{FFFD}b\u{FFFD}c")
    }

    @Test func `secrets are masked also across writes`() throws {
        let output = try run(["script": "printf hunt; sleep 0.1; printf er22; echo"], secrets: ["hunter22"]).get()
        #expect(output["stdout"] == "***\n")
    }

    @Test func `the working folder and standard input are as asked`() throws {
        folder.write("sub/x", "")
        let output = try run(["script": "pwd; cat", "cwd": "sub", "stdin": "hello"]).get()
        #expect(output["stdout"] == .string("\(folder.path)/sub\nhello"))
        #expect(throws: ToolFailure.self) { try run(["argv": ["pwd"], "cwd": "none"]) }
    }

    @Test func `a working folder that is a link out of the workdir is refused`() throws {
        _ = try run(["script": "ln -s / out"])
        #expect(throws: ToolFailure.self) { try run(["argv": ["pwd"], "cwd": "out"]) }
    }

    @Test func `without a sandbox nothing is executed`() throws {
        let failure = #expect(throws: ToolFailure.self) { try run(["script": "touch ran"], level: .unavailable) }
        #expect(failure?.code == "sandbox_unavailable")
        #expect(folder.text("ran") == nil)
    }

    // MARK: In the sandbox

    private static let hasSandbox: Bool = {
        let sandbox = Sandbox.probe(.auto, hidden: [], runner: SystemProcesses())
        if sandbox.level != .bubblewrap { print("!!! NO SANDBOX HERE, ITS TESTS DO NOT RUN: \(sandbox.reason)") }
        return sandbox.level == .bubblewrap
    }()

    @Test(.enabled(if: hasSandbox)) func `the sandbox runs programs in the workdir`() throws {
        let output = try run(["script": "pwd; echo kept > file; id -u"], level: .bubblewrap).get()
        #expect(output["stdout"]?.stringValue?.hasPrefix(folder.path) == true)
        #expect(output["sandbox"] == "bubblewrap")
        #expect(folder.text("file") == "kept\n")
    }

    @Test(.enabled(if: hasSandbox)) func `the sandbox passes on how the program ended`() throws {
        #expect(failure(try run(["script": "exit 5"], level: .bubblewrap))?.details["exit_code"] == 5)
    }

    @Test(.enabled(if: hasSandbox)) func `the sandbox shows neither home nor the data folder nor other processes`()
        throws
    {
        folder.write("data/operator.token", "secret-token")
        let script = "ls -A /root 2>&1; ls -A /home; cat data/operator.token 2>&1; ls data; ls -d /proc/[0-9]* | wc -l"
        let output = try run(["script": .string(script)], level: .bubblewrap, hidden: [folder.path + "/data"]).get()
        let text = output["stdout"]!.stringValue!
        #expect(!text.contains("secret-token"))
        #expect(text.contains("agent"))
        #expect(Int(text.split(separator: "\n").last?.trimmed ?? "") ?? 99 < 8)
    }

    @Test(.enabled(if: hasSandbox)) func `the sandbox has no network and writes nowhere else`() throws {
        let script = """
            ls /sys/class/net 2>/dev/null; cat /proc/net/dev | tail -n +3 | grep -v lo: | wc -l
            touch /usr/x /etc/x /x 2>/dev/null && echo WROTE; touch /tmp/x && echo tmp
            """
        let output = try run(["script": .string(script)], level: .bubblewrap).get()
        #expect(output["stdout"] == "0\ntmp\n")
        #expect(!Files.exists("/tmp/x"))
    }

    @Test(.enabled(if: hasSandbox))
    func `the sandbox gives the same environment and no descriptor or privilege of ours`() throws {
        let script =
            "env | cut -d= -f1 | sort | tr '\\n' ' '; ls /proc/self/fd | tr '\\n' ' '; grep CapEff /proc/self/status"
        let output = try run(["script": .string(script), "env": ["MINE": "a b"]], level: .bubblewrap).get()
        #expect(
            output["stdout"]
                == "AOS_RUN_ID AOS_STEP_ID HOME LANG MINE PATH PWD TMPDIR 0 1 2 3 CapEff:\t0000000000000000\n")
    }

    @Test(.enabled(if: hasSandbox)) func `no secret of the environment shows in a command line`() throws {
        let script = "cat /proc/*/cmdline | tr '\\0' ' '"
        let output = try run(["script": .string(script), "env": ["MINE": "swordfish"]], level: .bubblewrap).get()
        #expect(output["stdout"]?.stringValue?.contains("swordfish") == false)
    }

    @Test(.enabled(if: hasSandbox)) func `the sandbox dies whole with its time-out, and programs may end in order`()
        throws
    {
        let script = "trap 'echo bye >> log; exit 1' TERM; (setsid sleep 300 &) ; sleep 301 & wait"
        let failed = failure(try run(["script": .string(script)], level: .bubblewrap, timeoutMs: 400))
        #expect(failed?.code == "timeout")
        #expect(folder.text("log") == "bye\n")
    }

    @Test(.enabled(if: hasSandbox)) func `a step in the sandbox cannot make another one`() throws {
        #expect(failure(try run(["argv": ["unshare", "-U", "true"]], level: .bubblewrap)) != nil)
    }

    @Test(.enabled(if: hasSandbox)) func `what the sandbox was told to share it shares`() throws {
        let script = "tail -n +3 /proc/net/dev | wc -l"
        let inside = try run(["script": .string(script), "network": true], level: .bubblewrap).get()
        let outside = try run(["script": .string(script)], level: .none).get()
        #expect(inside["stdout"] == outside["stdout"])
    }
}

extension Substring {
    var trimmed: String { String(filter { !$0.isWhitespace }) }
}

extension String {
    var identifier: StepID { StepID(self) }
}

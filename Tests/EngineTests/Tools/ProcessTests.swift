import Engine
import JSON
import Platform
import Testing

@Suite(.serialized) struct ProcessTests {
    private let runner = SystemProcesses()

    init() { SystemProcesses.becomeReaper() }

    private func run(
        _ script: String, environment: [String: String] = [:], input: String = "", timeoutMs: Int64? = 20_000,
        graceMs: Int64 = 200, tag: String? = nil, stop: StopSignal = StopSignal()
    ) throws -> (end: ProcessEnd, out: String, err: String) {
        var command = ProcessCommand("/bin/sh", ["sh", "-c", script], environment: environment)
        (command.timeoutMilliseconds, command.graceMilliseconds, command.tag) = (timeoutMs, graceMs, tag)
        command.standardInput = Array(input.utf8)
        var (out, err): ([UInt8], [UInt8]) = ([], [])
        let end = try runner.run(command, stop: stop) { stream, bytes in
            switch stream {
            case .standardOutput: out += bytes
            case .standardError: err += bytes
            }
        }
        return (end, String(decoding: out, as: UTF8.self), String(decoding: err, as: UTF8.self))
    }

    @Test func `what a program writes and how it ends comes back`() throws {
        let result = try run("echo out; echo err >&2; exit 3")
        #expect(result.out == "out\n")
        #expect(result.err == "err\n")
        #expect(result.end.exit == .code(3))
    }

    @Test func `a program that is not there is an error and not an end`() {
        #expect(throws: SystemError.self) {
            _ = try runner.run(ProcessCommand("/no/such", ["x"]), stop: StopSignal()) { _, _ in }
        }
    }

    @Test func `a program gets its input whole, and need not read it`() throws {
        let text = String(repeating: "0123456789", count: 50_000)
        #expect(try run("wc -c", input: text).out.filter { !$0.isWhitespace } == "500000")
        #expect(try run("exit 0", input: text).end.exit == .code(0))
    }

    @Test func `much output on both pipes blocks nobody`() throws {
        let result = try run("head -c 3000000 /dev/zero | tr '\\0' a; head -c 3000000 /dev/zero | tr '\\0' b >&2")
        #expect(result.out.utf8.count == 3_000_000)
        #expect(result.err.utf8.count == 3_000_000)
    }

    @Test func `the environment is exactly what was given`() throws {
        var command = ProcessCommand("/usr/bin/env", ["env"], environment: ["ONLY": "this"])
        command.timeoutMilliseconds = 5_000
        var out: [UInt8] = []
        _ = try runner.run(command, stop: StopSignal()) { out += $1 }
        #expect(String(decoding: out, as: UTF8.self) == "ONLY=this\n")
    }

    @Test func `no descriptor of ours reaches a program`() throws {
        let file = try Descriptor.openToRead("/etc/passwd")
        let result = try run("ls /proc/self/fd")
        withExtendedLifetime(file) {}
        // The fourth is of ls itself.
        #expect(result.out.split(separator: "\n").map(String.init) == ["0", "1", "2", "3"])
    }

    @Test func `a time-out kills the program with all it has started`() throws {
        let tag = "AOS_STEP_ID=tree-\(SystemEntropy().integer(in: 0...1 << 40))"
        let parts = tag.split(separator: "=").map(String.init)
        let result = try run(
            "trap '' TERM; sleep 300 & (setsid sleep 301 &) ; setsid sh -c 'trap \"\" TERM; sleep 302' & sleep 303",
            environment: ["PATH": "/usr/bin:/bin", parts[0]: parts[1]], timeoutMs: 200, tag: tag)
        #expect(result.end.reason == .timeout)
        #expect(result.end.survivors == 0)
        #expect(ProcessTable.tagged(Array(tag.utf8)).isEmpty)
    }

    @Test func `a program that heeds SIGTERM can put things in order`() throws {
        let result = try run("trap 'echo bye; exit 7' TERM; sleep 30 & wait", timeoutMs: 200, graceMs: 5_000)
        #expect(result.out == "bye\n")
        #expect(result.end.exit == .code(7))
        #expect(result.end.reason == .timeout)
    }

    @Test func `a daemon that keeps the pipes open is ended and holds nobody up`() throws {
        let tag = "AOS_STEP_ID=daemon-\(SystemEntropy().integer(in: 0...1 << 40))"
        let parts = tag.split(separator: "=").map(String.init)
        let start = SystemClock().monotonicMilliseconds()
        let result = try run(
            "(setsid sleep 300 &); echo done", environment: ["PATH": "/usr/bin:/bin", parts[0]: parts[1]], tag: tag)
        #expect(result.out == "done\n")
        #expect(SystemClock().monotonicMilliseconds() - start < 3_000)
        #expect(ProcessTable.tagged(Array(tag.utf8)).isEmpty)
    }

    @Test func `a stop ends the program and says why`() throws {
        let stop = StopSignal()
        Thread.start("stopper") {
            _ = stop.wait(milliseconds: 100)
            stop.stop(.cancelled)
        }
        let result = try run("sleep 300", stop: stop)
        #expect(result.end.reason == .stopped(.cancelled))
    }

    @Test func `a stop before the start ends the program at once`() throws {
        let stop = StopSignal()
        stop.stop(.lost)
        #expect(try run("sleep 300", stop: stop).end.reason == .stopped(.lost))
    }
}
